// One exposition for several processes that do one service's work.
import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue, type Registry } from "prom-client";

/** A registry's metrics, as data that can be sent to another process. */
export type MetricsReading = readonly MetricObjectWithValues<MetricValue<string>>[];

/** What a registry holds now. */
export async function readMetrics(registry: Registry): Promise<MetricsReading> {
  return registry.getMetricsAsJSON();
}

/** The exposition of all readings together: counts are added up, delays of the event loop are the worst or the mean. */
export function aggregateMetrics(readings: readonly MetricsReading[]): Promise<string> {
  return AggregatorRegistry.aggregate(readings as object[][]).metrics();
}
