// The event loop as delivery sees it, so that tests need no real time.

import { performance } from "node:perf_hooks";

/** What delivery asks of an event loop; where none is given, it is this process's. */
export interface EventLoop {
  /** How long it has had nothing to do, since the process began, ms. */
  idleMs(): number;
  /** Runs something after what is ready now has had its turn. */
  nextTurn(run: () => void): void;
  /** Runs something after a time in which the loop may rest, ms. */
  later(ms: number, run: () => void): void;
}

/** This process's. */
export const processEventLoop: EventLoop = {
  idleMs: () => performance.nodeTiming.idleTime,
  nextTurn: (run) => void setImmediate(run),
  later: (ms, run) => void setTimeout(run, ms),
};
