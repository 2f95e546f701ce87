import { describe, expect, it } from "vitest";
import { authFailure } from "./auth-failures.js";
import { createAuthenticator } from "./authenticator.js";
import type { AuthFailureReason } from "./auth-failures.js";
import { findToken } from "./find-token.js";
import { identify } from "./identify.js";
import { mintToken } from "./mint-token.js";
import { defaultSettings } from "../settings/defaults.js";
import { TicketStore } from "./tickets.js";

const clock = { now: () => 0, wall: () => 1_800_000_000_000 };
const secret = "0123456789abcdef0123456789abcdef";

async function start() {
  const failures: AuthFailureReason[] = [];
  const onFailure = (reason: AuthFailureReason) => failures.push(reason);
  const authenticator = createAuthenticator({ ...defaultSettings.auth, hs256_secret: secret }, { clock, onFailure });
  const tickets = new TicketStore({ ttlMs: 30_000, clock });
  const token = await mintToken(secret, { sub: "alice", ttlMs: 60_000 }, clock);
  const ask = async (url: string) => {
    return identify(findToken({ headers: {}, rawHeaders: [], url }, { queryToken: true }), {
      authenticator,
      tickets,
      onFailure,
    });
  };
  return { ask, tickets, token, failures };
}

describe("identify", () => {
  it("knows a caller by token, and by the ticket that the token bought, once", async () => {
    const { ask, tickets, token, failures } = await start();
    const outcome = await ask(`/ws?token=${token}`);
    expect(outcome).toMatchObject({ ok: true, identity: { userId: "alice" } });
    const issued = outcome.ok ? tickets.issue(outcome.identity) : undefined;
    const ticket = issued?.ok ? issued.ticket : "";
    expect(await ask(`/ws?ticket=${ticket}`)).toEqual(outcome);
    expect(failures).toEqual([]);
    expect(await ask(`/ws?ticket=${ticket}`)).toEqual(authFailure("ticket_unknown"));
    expect(failures).toEqual(["ticket_unknown"]);
  });

  it("tells every refusal once", async () => {
    const { ask, token, failures } = await start();
    expect(await ask("/ws")).toEqual(authFailure("missing"));
    expect(await ask(`/ws?token=${token}&token=${token}`)).toEqual(authFailure("more_than_one"));
    expect(await ask("/ws?token=a.b.c")).toEqual(authFailure("malformed"));
    expect(failures).toEqual(["missing", "more_than_one", "malformed"]);
  });
});
