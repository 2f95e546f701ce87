// One backend after the other, the client not yet answered, until one says yes or means this caller with its no.
import type { Clock } from "@sluice/runtime";
import type { Backend } from "../backends/backend.js";
import type { BackendPool } from "../backends/backend-pool.js";
import type { GatewayTally } from "../gateway-tally.js";
import type { DialOutcome } from "./dial-backend.js";

/** Backends that are asked for one client. */
const dialsMax = 3;

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
}

export interface Dialling {
  readonly dial: (backend: Backend) => Promise<DialOutcome>;
  /** Whether the client is still there, and in time. */
  readonly isWanted: () => boolean;
}

/** Dials backends for one client. */
export async function findBackend(context: FindBackendContext, { dial, isWanted }: Dialling): Promise<FoundBackend> {
  const { pool, tally, clock, onBackendFailure } = context;
  const tried = new Set<Backend>();
  while (tried.size < dialsMax && isWanted()) {
    const backend = pool.choose(tried);
    if (backend === undefined) break;
    if (tried.size > 0) tally.retries += 1;
    tried.add(backend);
    backend.connections += 1;
    const outcome = await dial(backend);
    if (outcome.kind === "open" && isWanted()) {
      backend.succeeded();
      return { kind: "open", backend, dialled: outcome };
    }
    backend.connections -= 1;
    if (outcome.kind === "refused") return outcome;
    if (outcome.kind === "open") outcome.backend.socket.destroy();
    else {
      tally.backendErrors.add(outcome.failure);
      backend.failed(clock.now());
      onBackendFailure(backend, outcome.failure);
    }
  }
  return { kind: "none" };
}
