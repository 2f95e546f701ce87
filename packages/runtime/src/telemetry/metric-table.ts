// How a metric is defined: once, in a table, from which its instrument, its exposition and its row in the docs come.
import type { HistogramInstrument } from "./histogram-instrument.js";
import type { LabelledInstrument } from "./labelled-instrument.js";
import type { NumberInstrument } from "./number-instrument.js";

interface Named {
  /** In base units, `_total` at the end of a counter (prometheus.io/docs/practices/naming). */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
}

/** A number without labels. */
export interface NumberDefinition extends Named {
  readonly type: "counter" | "gauge";
}

/**
 * A counter with one label, whose values are all known beforehand: what a peer sends or who it is never becomes a
 * label. With `other` among them, unknown values are counted there.
 */
export interface LabelledDefinition<Value extends string = string> extends Named {
  readonly type: "counter";
  readonly label: string;
  readonly values: readonly Value[];
}

/** A distribution; `buckets` are upper bounds, ascending, without the infinite one. */
export interface HistogramDefinition extends Named {
  readonly type: "histogram";
  readonly buckets: readonly number[];
}

/** One metric. */
export type MetricDefinition = NumberDefinition | LabelledDefinition | HistogramDefinition;

/** Metrics by the name that code knows them by. */
export type MetricTable = Readonly<Record<string, MetricDefinition>>;

type InstrumentOf<Definition> = Definition extends HistogramDefinition
  ? HistogramInstrument
  : Definition extends LabelledDefinition<infer Value>
    ? LabelledInstrument<Value>
    : NumberInstrument;

/** What a table's metrics are counted with. */
export type Instruments<Table extends MetricTable> = { readonly [Key in keyof Table]: InstrumentOf<Table[Key]> };
