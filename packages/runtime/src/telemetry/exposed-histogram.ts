// Shows a distribution of ours to prom-client, whose own histogram takes one observation at a time and hashes its labels.
import { Histogram } from "prom-client";
import type { HistogramInstrument } from "./histogram-instrument.js";
import type { HistogramDefinition } from "./metric-table.js";

interface Sample {
  readonly metricName: string;
  readonly labels: { readonly le?: number | "+Inf" };
  readonly sharedLabels: object;
  readonly value: number;
}

/** A prom-client histogram, in no registry yet, whose values are those of an instrument. */
export class ExposedHistogram extends Histogram {
  readonly #definition: HistogramDefinition;
  readonly #instrument: HistogramInstrument;

  constructor(definition: HistogramDefinition, instrument: HistogramInstrument) {
    const { name, help, buckets } = definition;
    super({ name, help, buckets: [...buckets], registers: [] });
    this.#definition = definition;
    this.#instrument = instrument;
  }

  /** What prom-client 15 asks for when it writes the exposition, and what its `get()` is made from. */
  getForPromString() {
    const { name, help } = this.#definition;
    const { bounds, counts, sum } = this.#instrument.read();
    const values: Sample[] = [];
    const add = (suffix: string, value: number, le?: number | "+Inf"): void => {
      values.push({ metricName: name + suffix, labels: le === undefined ? {} : { le }, sharedLabels: {}, value });
    };
    let total = 0;
    for (const [index, count] of counts.entries()) {
      total += count;
      add("_bucket", total, bounds[index] ?? "+Inf");
    }
    add("_sum", sum);
    add("_count", total);
    return Promise.resolve({ name, help, type: "histogram", values, aggregator: "sum" });
  }
}
