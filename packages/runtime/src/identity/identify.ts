// From what a request brought (find-token.ts) to who sent it.
import { authFailure, type AuthFailureReason } from "./auth-failures.js";
import type { FoundToken } from "./find-token.js";
import type { Authenticator, AuthOutcome } from "./identity.js";

/** Who decides; `onFailure` is the authenticator's own, so that every refusal is told once. */
export interface IdentifyOptions {
  readonly authenticator: Authenticator;
  /** Uses a ticket up: this process's own, or one that several share. */
  readonly tickets: { redeem(ticket: string): AuthOutcome | Promise<AuthOutcome> };
  /** Told the reasons that the authenticator does not see: an unknown ticket, more than one token. */
  readonly onFailure?: (reason: AuthFailureReason) => void;
}

/** Authenticates what `findToken` found: a token, a ticket (which it uses up), or nothing (`missing`). */
export async function identify(found: FoundToken, options: IdentifyOptions): Promise<AuthOutcome> {
  if (found.kind === "token") return options.authenticator.authenticate(found.token);
  if (found.kind === "none") return options.authenticator.authenticate("");
  const outcome = found.kind === "ticket" ? await options.tickets.redeem(found.ticket) : authFailure(found.reason);
  if (!outcome.ok) options.onFailure?.(outcome.reason);
  return outcome;
}
