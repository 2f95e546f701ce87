// How late the event loop comes to what is due, shown under prom-client's names.
import { createHistogram, performance, type RecordableHistogram } from "node:perf_hooks";
import { Gauge, type Registry } from "prom-client";
import { every } from "../lifecycle/every.js";

/**
 * Time between two samples, ms. prom-client's 10 ms wake an idle process a hundred times a second, three quarters of
 * all that it does; a loop that stands still for longer than this is seen all the same, a shorter stop now and then.
 */
const sampleMs = 250;
/** The same while the loop rests nearly all the time: one waking with all else that is done every second. */
const restingSampleMs = 1000;
/** The share of a second from which on the loop counts as busy. */
const busyShare = 0.05;

const nsPerMs = 1e6;
const msPerS = 1000;
const name = "nodejs_eventloop_lag";

type Aggregator = "average" | "min" | "max";

interface Figure {
  /** Of the metric's name, behind that of the whole. */
  readonly suffix: string;
  readonly help: string;
  readonly aggregator: Aggregator;
  /** In ns. */
  readonly of: (histogram: RecordableHistogram) => number;
}

const figures: readonly Figure[] = [
  { suffix: "_seconds", help: "Mean", aggregator: "average", of: ({ mean }) => mean },
  { suffix: "_min_seconds", help: "Minimum", aggregator: "min", of: ({ min }) => min },
  { suffix: "_max_seconds", help: "Maximum", aggregator: "max", of: ({ max }) => max },
  { suffix: "_mean_seconds", help: "Mean", aggregator: "average", of: ({ mean }) => mean },
  {
    suffix: "_stddev_seconds",
    help: "Standard deviation",
    aggregator: "average",
    of: ({ stddev }) => stddev,
  },
  { suffix: "_p50_seconds", help: "50th percentile", aggregator: "average", of: (lag) => lag.percentile(50) },
  { suffix: "_p90_seconds", help: "90th percentile", aggregator: "average", of: (lag) => lag.percentile(90) },
  { suffix: "_p99_seconds", help: "99th percentile", aggregator: "average", of: (lag) => lag.percentile(99) },
];

/** The names of all that {@link collectEventLoopLag} registers. */
export const eventLoopLagNames: readonly string[] = figures.map(({ suffix }) => `${name}${suffix}`);

/** What the lag is that a histogram holds as `ns`, s. 0 where there is none. */
export function lagSeconds(ns: number): number {
  return Number.isFinite(ns) ? ns / nsPerMs / msPerS : 0;
}

/** Tells of how much later than a period after the last time something ran, each time that it is called. */
export class Lateness {
  readonly #periodMs: number;
  #lastMs: number;

  constructor(periodMs: number, nowMs: number) {
    this.#periodMs = periodMs;
    this.#lastMs = nowMs;
  }

  /** Ms, at least 0. */
  take(nowMs: number): number {
    const lateMs = nowMs - this.#lastMs - this.#periodMs;
    this.#lastMs = nowMs;
    return Math.max(0, lateMs);
  }
}

/** Records the loop's lag from now on: every second, and four times as often while the loop has something to do. */
function sampleLag(histogram: RecordableHistogram): void {
  const { eventLoopUtilization } = performance;
  const record = (lateness: Lateness): void =>
    histogram.record(Math.max(1, Math.round(lateness.take(performance.now()) * nsPerMs)));
  const seconds = new Lateness(restingSampleMs, performance.now());
  let used = eventLoopUtilization();
  let endBusy: (() => void) | undefined;
  every(restingSampleMs, () => {
    record(seconds);
    const now = eventLoopUtilization();
    const isBusy = eventLoopUtilization(now, used).utilization > busyShare;
    used = now;
    if (isBusy && endBusy === undefined) {
      const quarters = new Lateness(sampleMs, performance.now());
      endBusy = every(sampleMs, () => record(quarters));
    } else if (!isBusy) {
      endBusy?.();
      endBusy = undefined;
    }
  });
}

/**
 * Registers `nodejs_eventloop_lag_*`, each since the last scrape. The sampling ends with the process.
 * @throws {Error} when the registry has one of them.
 */
export function collectEventLoopLag(registry: Registry): void {
  const histogram = createHistogram();
  sampleLag(histogram);
  const gauges = figures.map(({ suffix, help, aggregator }, index) => {
    const gauge = new Gauge({
      name: `${name}${suffix}`,
      help: `${help} of the event loop's lag since the last scrape.`,
      aggregator,
      registers: [registry],
      // The first sets them all, so that one scrape shows one sample.
      ...(index === 0 && { collect: showAll }),
    });
    return gauge;
  });

  function showAll(): void {
    // Nothing was sampled since: what was shown last stands.
    if (histogram.count === 0) return;
    for (const [index, { of }] of figures.entries()) gauges[index]?.set(lagSeconds(of(histogram)));
    histogram.reset();
  }
}
