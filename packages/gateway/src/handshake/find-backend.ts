// One backend after the other, the client not yet answered, until one says yes or means this caller with its no.
import type { Clock } from "@sluice/runtime";
import type { Backend } from "../backends/backend.js";
import type { BackendPool } from "../backends/backend-pool.js";
import type { GatewayTally } from "../gateway-tally.js";
import type { ReturnSchedule } from "../tunnel/return-schedule.js";
import type { DialOutcome } from "./dial-backend.js";
import type { HandshakeDeadline } from "./handshake-deadline.js";

/** Backends that are asked for one client. */
const dialsMax = 3;
/** Share of the handshake's time that is waited for a turn; the rest is the backend's to answer. */
const turnShare = 0.5;

/** A backend's yes. */
export type Dialled = Extract<DialOutcome, { kind: "open" }>;

/** What came of all the dials. With `open` the backend has one connection more, which whoever gets it gives back. */
export type FoundBackend =
  | { readonly kind: "open"; readonly backend: Backend; readonly dialled: Dialled }
  | Extract<DialOutcome, { kind: "refused" }>
  | { readonly kind: "none" };

export interface FindBackendContext {
  readonly pool: BackendPool;
  readonly tally: GatewayTally;
  readonly clock: Clock;
  readonly onBackendFailure: (backend: Backend, failure: string) => void;
  readonly returns: Pick<ReturnSchedule, "opened" | "crowded">;
}

export interface Dialling {
  readonly dial: (backend: Backend) => Promise<DialOutcome>;
  /** Dials of one backend at once, `gateway.limits.dials_per_backend`; the others wait for their turn. */
  readonly dialsAtOnceMax: number;
  /** Of the handshake, waiting for turns included. */
  readonly deadline: HandshakeDeadline;
  /** Whether the client is still there, and in time. */
  readonly isWanted: () => boolean;
}

/** Dials backends for one client. */
export async function findBackend(context: FindBackendContext, dialling: Dialling): Promise<FoundBackend> {
  const { pool, tally } = context;
  const tried = new Set<Backend>();
  while (tried.size < dialsMax && dialling.isWanted()) {
    const backend = pool.choose(tried);
    if (backend === undefined) break;
    if (tried.size > 0) tally.retries += 1;
    tried.add(backend);
    backend.connections += 1;
    const outcome = await dialInTurn(context, dialling, backend);
    if (outcome.kind === "open") return { kind: "open", backend, dialled: outcome };
    backend.connections -= 1;
    if (outcome.kind === "refused") return outcome;
  }
  return { kind: "none" };
}

/** `none`: it failed, or the client is not there any more. */
async function dialInTurn(
  { tally, clock, onBackendFailure, returns }: FindBackendContext,
  { dial, dialsAtOnceMax, deadline, isWanted }: Dialling,
  backend: Backend,
): Promise<DialOutcome | { readonly kind: "none" }> {
  const turn = backend.turns.take(dialsAtOnceMax);
  try {
    const isHere = !turn.hasWaited || (await deadline.race(turn.come, deadline.ms * turnShare)) === "come";
    if (!isHere) returns.crowded();
    if (!isHere || !isWanted()) return { kind: "none" };
    const outcome = await dial(backend);
    if (outcome.kind === "open") {
      backend.succeeded();
      returns.opened();
      if (isWanted()) return outcome;
      outcome.backend.socket.destroy();
      return { kind: "none" };
    }
    if (outcome.kind === "failed") {
      tally.backendErrors.add(outcome.failure);
      // One whose turn came late had little time left: that says that many are waiting, and not that it is down.
      if (!turn.hasWaited || outcome.failure !== "timeout") backend.failed(clock.now());
      onBackendFailure(backend, outcome.failure);
    }
    return outcome;
  } finally {
    turn.end();
  }
}
