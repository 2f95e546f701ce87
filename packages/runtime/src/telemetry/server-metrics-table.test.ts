import { closes, policies } from "@sluice/protocol";
import { Registry } from "prom-client";
import { expect, it } from "vitest";
import type { MetricDefinition } from "./metric-table.js";
import { metricsMarkdown } from "./metrics-markdown.js";
import { registerMetrics } from "./register-metrics.js";
import { serverMetricsTable } from "./server-metrics-table.js";

const definitions: readonly MetricDefinition[] = Object.values(serverMetricsTable);

it.each(definitions.map((definition) => [definition.name, definition] as const))(
  "%s follows Prometheus' naming",
  (name, definition) => {
    expect(name).toMatch(/^sluice_[a-z]+(?:_[a-z]+)*$/);
    expect(name.endsWith("_total")).toBe(definition.type === "counter");
    expect(name).not.toMatch(/_(?:ms|milliseconds|kilobytes|percent)(?:_|$)/);
    expect(definition.help).toMatch(/^[A-Z`].*\.$/);
  },
);

it("has each name once, and registers", async () => {
  const registry = new Registry();
  const metrics = registerMetrics(registry, serverMetricsTable);
  metrics.eventsDropped.by["drop-oldest"].value += 1;
  metrics.connectionsClosed.count("4000");
  const text = await registry.metrics();
  expect(text).toContain('sluice_events_dropped_total{policy="drop-oldest"} 1');
  expect(text).toContain('sluice_connections_closed_total{code="other"} 1');
});

it("knows every close code and policy of the protocol", () => {
  const codes = Object.values(closes).map(({ code }) => String(code));
  expect(serverMetricsTable.connectionsClosed.values).toEqual(expect.arrayContaining(codes));
  expect(serverMetricsTable.eventsDropped.values).toEqual(policies);
});

it("is the table of the docs", () => {
  const markdown = metricsMarkdown();
  expect(
    definitions.filter(({ name, help }) => !markdown.includes(`| \`${name}\` |`) || !markdown.includes(help)),
  ).toEqual([]);
  expect(metricsMarkdown({ Gateway: { x: { type: "gauge", name: "x", help: "X." } } })).toContain(
    "## Gateway\n\n| metric",
  );
});
