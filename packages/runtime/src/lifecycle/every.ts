// One timer for all that has the same period. On a virtual machine a waking costs an idle process 70 to 160 µs, several
// times what most of those have to do then.

interface Period {
  readonly runs: Set<() => void>;
  readonly timer: NodeJS.Timeout;
}

const periods = new Map<number, Period>();

/**
 * Runs something every `periodMs` from now on, in one waking with all others of that period, so that the first time may
 * come sooner than that. It doesn't keep the process alive. The result ends it.
 */
export function every(periodMs: number, run: () => void): () => void {
  let period = periods.get(periodMs);
  if (period === undefined) {
    const runs = new Set<() => void>();
    period = { runs, timer: setInterval(() => runAll(runs), periodMs).unref() };
    periods.set(periodMs, period);
  }
  const { runs, timer } = period;
  // The same function may be given twice.
  const own = (): void => run();
  runs.add(own);
  return () => {
    if (!runs.delete(own) || runs.size > 0) return;
    clearInterval(timer);
    periods.delete(periodMs);
  };
}

function runAll(runs: ReadonlySet<() => void>): void {
  for (const run of runs) run();
}
