// docs/metrics.md, from the tables that metrics are registered from.
import type { MetricDefinition, MetricTable } from "./metric-table.js";
import { gatewayMetricsTable } from "./gateway-metrics-table.js";
import { serverMetricsTable } from "./server-metrics-table.js";

function details(definition: MetricDefinition): string {
  if ("label" in definition) return `\`${definition.label}\`: ${definition.values.join(", ")}`;
  return definition.type === "histogram" ? `buckets: ${definition.buckets.join(", ")}` : "";
}

function row(definition: MetricDefinition): string {
  return `| \`${definition.name}\` | ${definition.type} | ${details(definition)} | ${definition.help} |`;
}

/** Tables of metrics under a heading each; all there are when absent. */
export function metricsMarkdown(
  tables: Readonly<Record<string, MetricTable>> = {
    "Streaming service": serverMetricsTable,
    Gateway: gatewayMetricsTable,
  },
): string {
  const sections = Object.entries(tables).flatMap(([heading, table]) => [
    `## ${heading}`,
    "",
    "| metric | type | label or buckets | what it counts |",
    "|---|---|---|---|",
    ...Object.values(table).map(row),
    "",
  ]);
  return [...introduction, ...sections].join("\n");
}

const introduction = [
  "# Metrics",
  "",
  "Made by `node tools/generate-docs.mjs` from the tables in `packages/runtime/src/telemetry`; edit those.",
  "",
  "`GET /metrics` answers in the Prometheus text format. Counters count from the start of the process; labels have",
  "few, known values and never name a user, a connection or a cluster. The process's own metrics (`process_*`, `nodejs_*`,",
  "the event loop's delay as `nodejs_eventloop_lag_*`) are there too, but for the lists of handles and resources, which",
  "stop the event loop the longer the more connections there are. A look takes about a millisecond.",
  "",
];
