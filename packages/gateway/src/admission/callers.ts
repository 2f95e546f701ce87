// Who asks, and with which token: what is authenticated here goes on in the caller's name.
import {
  type Authenticator,
  type AuthFailure,
  type AuthFailureReason,
  type FoundToken,
  identify,
  type Identity,
  type TicketStore,
} from "@sluice/runtime";

/** An authenticated caller. */
export interface Caller extends Identity {
  /** What it was authenticated by, at this door or when it got its ticket; empty where none is asked for. */
  readonly token: string;
}

export type CallerOutcome = { readonly ok: true; readonly identity: Caller } | AuthFailure;

export interface CallersOptions {
  readonly authenticator: Authenticator;
  /** Tickets of this door: a backend never hears of them. */
  readonly tickets: TicketStore<Caller>;
  readonly onFailure: (reason: AuthFailureReason) => void;
}

/** The caller that a request's token, or ticket (which is used up), stands for. */
export async function findCaller(found: FoundToken, options: CallersOptions): Promise<CallerOutcome> {
  if (found.kind === "ticket") {
    const outcome = options.tickets.redeem(found.ticket);
    if (!outcome.ok) options.onFailure(outcome.reason);
    return outcome;
  }
  const outcome = await identify(found, options);
  if (!outcome.ok) return outcome;
  return { ok: true, identity: { ...outcome.identity, token: found.kind === "token" ? found.token : "" } };
}
