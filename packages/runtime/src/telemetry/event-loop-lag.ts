// How late the event loop comes to what is due, sampled four times a second and shown under prom-client's names.
import { monitorEventLoopDelay, type IntervalHistogram } from "node:perf_hooks";
import { Gauge, type Registry } from "prom-client";

/**
 * Time between two samples, ms. prom-client's 10 ms wake an idle process a hundred times a second, three quarters of all
 * that it does; a loop that stands still for longer than this is seen all the same, a shorter stop now and then.
 */
export const lagSampleMs = 250;

const nsPerMs = 1e6;
const msPerS = 1000;
const name = "nodejs_eventloop_lag";

type Aggregator = "average" | "min" | "max";

interface Figure {
  /** Of the metric's name, behind that of the whole. */
  readonly suffix: string;
  readonly help: string;
  readonly aggregator: Aggregator;
  /** In ns, the time between two samples included unless it is a spread. */
  readonly of: (histogram: IntervalHistogram) => number;
  readonly isSpread?: boolean;
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
    isSpread: true,
  },
  { suffix: "_p50_seconds", help: "50th percentile", aggregator: "average", of: (lag) => lag.percentile(50) },
  { suffix: "_p90_seconds", help: "90th percentile", aggregator: "average", of: (lag) => lag.percentile(90) },
  { suffix: "_p99_seconds", help: "99th percentile", aggregator: "average", of: (lag) => lag.percentile(99) },
];

/** The names of all that {@link collectEventLoopLag} registers. */
export const eventLoopLagNames: readonly string[] = figures.map(({ suffix }) => `${name}${suffix}`);

/** What a sample of `ns` says of the lag, s: it holds the time that was to pass in any case. 0 where there is none. */
export function lagSeconds(ns: number, isSpread = false): number {
  const ms = ns / nsPerMs - (isSpread ? 0 : lagSampleMs);
  return Number.isFinite(ms) ? Math.max(0, ms) / msPerS : 0;
}

/**
 * Registers `nodejs_eventloop_lag_*`, each since the last scrape. The sampling costs no JavaScript and ends with the
 * process.
 * @throws {Error} when the registry has one of them.
 */
export function collectEventLoopLag(registry: Registry): void {
  const histogram = monitorEventLoopDelay({ resolution: lagSampleMs });
  histogram.enable();
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
    for (const [index, { of, isSpread }] of figures.entries()) gauges[index]?.set(lagSeconds(of(histogram), isSpread));
    histogram.reset();
  }
}
