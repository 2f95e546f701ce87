// The two clocks of a process. Heartbeats, deadlines and rates use the monotonic one; only token times and what
// people read use the wall clock, so a step of the wall clock changes no deadline.

/** Where time comes from; tests pass a manual one. */
export interface Clock {
  /** Monotonic milliseconds (fractional), from an arbitrary start. */
  now(): number;
  /** Wall-clock milliseconds since the Unix epoch. */
  wall(): number;
}

/** Longest time of a timer of Node, ms: 24.8 days. Past it Node takes 1 ms. */
export const timerMsMax = 2 ** 31 - 1;

/** The machine's clocks. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
};
