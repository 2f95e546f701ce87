// Metrics of a table, registered: instruments for the code, collected by prom-client only when somebody scrapes.
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import { timerMsMax } from "../clock.js";
import { collectEventLoopLag, eventLoopLagNames } from "./event-loop-lag.js";
import { ExposedHistogram } from "./exposed-histogram.js";
import { HistogramInstrument } from "./histogram-instrument.js";
import { LabelledInstrument } from "./labelled-instrument.js";
import type {
  HistogramDefinition,
  Instruments,
  LabelledDefinition,
  MetricDefinition,
  MetricTable,
  NumberDefinition,
} from "./metric-table.js";
import { NumberInstrument } from "./number-instrument.js";
import { collectOpenFds, openFdsName } from "./open-file-descriptors.js";

/**
 * A registry with the metrics of the process itself (`process_*`, `nodejs_*`, the event loop's delay among them), of which
 * none costs more the more connections there are. Make one a process.
 */
export function createMetricsRegistry(): Registry {
  const register = new Registry();
  // Its own measure of the event loop would wake an idle process a hundred times a second: it is put to sleep.
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: timerMsMax });
  for (const name of [...eventLoopLagNames, openFdsName, ...listedNames]) register.removeSingleMetric(name);
  collectEventLoopLag(register);
  collectOpenFds(register);
  return register;
}

/**
 * What prom-client counts by listing every handle of the process: with 9,000 connections it stops the event loop for 9 ms,
 * and tells nothing that the number of connections doesn't.
 */
const listedNames = [
  "nodejs_active_resources",
  "nodejs_active_resources_total",
  "nodejs_active_handles",
  "nodejs_active_handles_total",
];

/** prom-client would register with its global registry where none is named. */
const registers: Registry[] = [];

function registerNumber(registry: Registry, { type, name, help }: NumberDefinition): NumberInstrument {
  const instrument = new NumberInstrument();
  const counter = () =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(instrument.read());
      },
    });
  const gauge = () =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(instrument.read());
      },
    });
  registry.registerMetric(type === "counter" ? counter() : gauge());
  return instrument;
}

function registerLabelled(registry: Registry, { name, help, label, values }: LabelledDefinition): LabelledInstrument {
  const instrument = new LabelledInstrument(values);
  const counter = new Counter({
    name,
    help,
    labelNames: [label],
    registers,
    collect() {
      this.reset();
      for (const [value, count] of instrument.read()) this.inc({ [label]: value }, count);
    },
  });
  registry.registerMetric(counter);
  return instrument;
}

function registerHistogram(registry: Registry, definition: HistogramDefinition): HistogramInstrument {
  const instrument = new HistogramInstrument(definition.buckets);
  registry.registerMetric(new ExposedHistogram(definition, instrument));
  return instrument;
}

function register(registry: Registry, definition: MetricDefinition) {
  if (definition.type === "histogram") return registerHistogram(registry, definition);
  return "label" in definition ? registerLabelled(registry, definition) : registerNumber(registry, definition);
}

/**
 * Registers a table's metrics and returns what they are counted with. Counting is adding to a number; what costs is
 * the scrape.
 * @throws {Error} when the registry has a metric of the same name.
 */
export function registerMetrics<const Table extends MetricTable>(registry: Registry, table: Table): Instruments<Table> {
  const instruments = Object.entries(table).map(([key, definition]) => [key, register(registry, definition)] as const);
  return Object.fromEntries(instruments) as Instruments<Table>;
}
