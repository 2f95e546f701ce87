// Load of the processors between two samples of what they have done.

/** Time a processor has spent since the machine started, any unit. */
export interface CpuTime {
  readonly busy: number;
  readonly idle: number;
}

/** As `os.cpus()` gives it: ms by kind of work. */
export interface CpuSample {
  readonly times: {
    readonly user: number;
    readonly nice: number;
    readonly sys: number;
    readonly idle: number;
    readonly irq: number;
  };
}

/** Sums up each processor's kinds of work. */
export function readCpuTimes(cpus: readonly CpuSample[]): readonly CpuTime[] {
  return cpus.map(({ times: { user, nice, sys, irq, idle } }) => ({ busy: user + nice + sys + irq, idle }));
}

/** Load in percent, one decimal: of each processor, and of all. */
export interface CpuLoad {
  readonly total_percent: number;
  readonly core_percent: readonly number[];
  readonly cores: number;
}

/** The load between two samples; a processor that has come meanwhile counts from nothing. */
export function cpuLoad(before: readonly CpuTime[], after: readonly CpuTime[]): CpuLoad {
  const deltas = after.map(({ busy, idle }, index) => ({
    busy: Math.max(0, busy - (before[index]?.busy ?? 0)),
    idle: Math.max(0, idle - (before[index]?.idle ?? 0)),
  }));
  const sum = deltas.reduce((total, { busy, idle }) => ({ busy: total.busy + busy, idle: total.idle + idle }), {
    busy: 0,
    idle: 0,
  });
  return { total_percent: percent(sum), core_percent: deltas.map(percent), cores: after.length };
}

function percent({ busy, idle }: CpuTime): number {
  return busy + idle === 0 ? 0 : Math.round((1_000 * busy) / (busy + idle)) / 10;
}
