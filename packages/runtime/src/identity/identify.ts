// From what a request brought (find-token.ts) to who sent it.
import { authFailure } from "./auth-failures.js";
import type { FoundToken } from "./find-token.js";
import type { Authenticator, AuthOutcome } from "./identity.js";
import type { TicketStore } from "./tickets.js";

/** Authenticates what {@link findToken} found: a token, a ticket (which it uses up), or nothing (`missing`). */
export async function identify(
  found: FoundToken,
  authenticator: Authenticator,
  tickets: Pick<TicketStore, "redeem">,
): Promise<AuthOutcome> {
  if (found.kind === "refused") return authFailure(found.reason);
  if (found.kind === "ticket") return tickets.redeem(found.ticket);
  return authenticator.authenticate(found.kind === "token" ? found.token : "");
}
