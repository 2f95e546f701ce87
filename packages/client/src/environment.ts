// Where time, chance and timers come from, so that every decision can be tried without waiting.

/** The machine as the client sees it; tests pass a manual one. */
export interface Environment {
  /** Monotonic milliseconds from an arbitrary start. */
  readonly now: () => number;
  /** Wall-clock milliseconds since the Unix epoch. */
  readonly wall: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Runs `run` once after `ms`; the returned function calls it off. */
  readonly after: (ms: number, run: () => unknown) => () => void;
}

/** The real one. */
export const systemEnvironment: Environment = {
  now: () => performance.now(),
  wall: () => Date.now(),
  random: () => Math.random(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
