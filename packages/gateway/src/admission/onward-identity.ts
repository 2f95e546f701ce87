// What a backend is shown: the caller's own token, or one of the gateway's that says the same of the caller.
import { adminScope, type Clock, mintToken, publishScope } from "@sluice/runtime";
import type { Caller } from "./callers.js";

export interface OnwardIdentityOptions {
  readonly clock: Clock;
  /** Null: the caller's own token goes on. */
  readonly exchange: {
    readonly secret: string;
    readonly ttlMs: number;
    readonly issuer: string | null;
    readonly audience: string | undefined;
  } | null;
}

const all = ["*"];

/** The `Authorization` for a backend; undefined where nobody is asked for a token (`auth.dev`). */
export async function onwardAuthorization(
  caller: Caller,
  { exchange, clock }: OnwardIdentityOptions,
): Promise<string | undefined> {
  if (exchange === null) return caller.token === "" ? undefined : `Bearer ${caller.token}`;
  const { events, clusters, publish, admin } = caller.rights;
  const scopes = [...(publish ? [publishScope] : []), ...(admin ? [adminScope] : [])];
  const token = await mintToken(
    exchange.secret,
    {
      sub: caller.userId,
      // Said in full: left out they would mean whatever the backend's own mapping makes of it.
      events: events ?? all,
      clusters: clusters ?? all,
      scope: scopes.join(" "),
      ttlMs: Math.min(exchange.ttlMs, caller.expiresAtMs - clock.wall()),
      issuer: exchange.issuer ?? undefined,
      audience: exchange.audience,
    },
    clock,
  );
  return `Bearer ${token}`;
}
