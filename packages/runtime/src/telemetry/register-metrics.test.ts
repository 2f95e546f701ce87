import { Registry } from "prom-client";
import { describe, expect, expectTypeOf, it } from "vitest";
import { HistogramInstrument } from "./histogram-instrument.js";
import type { LabelledInstrument } from "./labelled-instrument.js";
import type { MetricTable } from "./metric-table.js";
import { createMetricsRegistry, registerMetrics } from "./register-metrics.js";

const table = {
  open: { type: "gauge", name: "t_open", help: "Open." },
  sent: { type: "counter", name: "t_sent_total", help: "Sent." },
  closed: { type: "counter", name: "t_closed_total", help: "Closed.", label: "code", values: ["1000", "other"] },
  dropped: { type: "counter", name: "t_dropped_total", help: "Dropped.", label: "policy", values: ["a", "b"] },
  latency: { type: "histogram", name: "t_latency_seconds", help: "Latency.", buckets: [0.1, 1] },
} as const satisfies MetricTable;

function setUp() {
  const registry = new Registry();
  const metrics = registerMetrics(registry, table);
  const lines = async (name: string) => (await registry.metrics()).split("\n").filter((line) => line.startsWith(name));
  return { registry, metrics, lines };
}

describe("numbers", () => {
  it("are exposed as they are at the scrape, from 0", async () => {
    const { metrics, lines } = setUp();
    expect(await lines("t_sent_total")).toEqual(["t_sent_total 0"]);
    metrics.sent.value += 3;
    metrics.open.value = 7;
    expect(await lines("t_sent_total")).toEqual(["t_sent_total 3"]);
    metrics.sent.value += 1;
    metrics.open.value -= 2;
    expect(await lines("t_sent_total")).toEqual(["t_sent_total 4"]);
    expect(await lines("t_open")).toEqual(["t_open 5"]);
  });

  it("can be read from where they are counted", async () => {
    const { metrics, lines } = setUp();
    const tally = { sent: 1 };
    metrics.sent.readFrom(() => tally.sent);
    tally.sent = 9;
    expect(await lines("t_sent_total")).toEqual(["t_sent_total 9"]);
  });
});

describe("labelled counters", () => {
  it("have every label from the start, and only those", async () => {
    const { metrics, lines } = setUp();
    metrics.closed.by["1000"].value += 2;
    metrics.closed.count("1000");
    metrics.closed.count("4999", 5);
    expect(await lines("t_closed_total")).toEqual(['t_closed_total{code="1000"} 3', 't_closed_total{code="other"} 5']);
    expect(await lines("t_dropped_total")).toEqual(['t_dropped_total{policy="a"} 0', 't_dropped_total{policy="b"} 0']);
    expectTypeOf(metrics.dropped).toEqualTypeOf<LabelledInstrument<"a" | "b">>();
  });

  it("refuse a label that the table lacks", () => {
    const { metrics } = setUp();
    expect(() => metrics.dropped.count("__proto__")).toThrow("a label that its table lacks");
  });

  it("can be read from where they are counted", async () => {
    const { metrics, lines } = setUp();
    const tally = new Map([["a", 1]]);
    metrics.dropped.readFrom(() => tally);
    await lines("t_dropped_total");
    tally.set("a", 4);
    expect(await lines("t_dropped_total")).toEqual(['t_dropped_total{policy="a"} 4', 't_dropped_total{policy="b"} 0']);
  });
});

describe("histograms", () => {
  it("count a bound in its own class, and one observation for many", async () => {
    const { metrics, lines } = setUp();
    metrics.latency.observe(0.1);
    metrics.latency.observe(0.1000001, 10);
    metrics.latency.observe(2, 100);
    expect(await lines("t_latency_seconds")).toEqual([
      't_latency_seconds_bucket{le="0.1"} 1',
      't_latency_seconds_bucket{le="1"} 11',
      't_latency_seconds_bucket{le="+Inf"} 111',
      "t_latency_seconds_sum 201.100001",
      "t_latency_seconds_count 111",
    ]);
  });

  it("are the same as JSON", async () => {
    const { metrics, registry } = setUp();
    metrics.latency.observe(0.5, 2);
    const [histogram] = (await registry.getMetricsAsJSON()).filter(({ name }) => name === "t_latency_seconds");
    expect(histogram?.values).toEqual([
      { metricName: "t_latency_seconds_bucket", labels: { le: 0.1 }, value: 0 },
      { metricName: "t_latency_seconds_bucket", labels: { le: 1 }, value: 2 },
      { metricName: "t_latency_seconds_bucket", labels: { le: "+Inf" }, value: 2 },
      { metricName: "t_latency_seconds_sum", labels: {}, value: 1 },
      { metricName: "t_latency_seconds_count", labels: {}, value: 2 },
    ]);
  });

  it("can be read from where they are observed, with the same bounds only", async () => {
    const { metrics, lines } = setUp();
    const elsewhere = new HistogramInstrument([0.1, 1]);
    metrics.latency.readFrom(elsewhere);
    elsewhere.observe(1, 5);
    expect(await lines("t_latency_seconds_count")).toEqual(["t_latency_seconds_count 5"]);
    expect(() => metrics.latency.readFrom(new HistogramInstrument([0.1, 2]))).toThrow("other bounds");
    expect(() => metrics.latency.readFrom(new HistogramInstrument([0.1]))).toThrow("other bounds");
  });
});

describe("a registry", () => {
  it("has the process's own metrics, and takes one table beside another", async () => {
    const registry = createMetricsRegistry();
    registerMetrics(registry, table);
    registerMetrics(registry, { more: { type: "counter", name: "t_more_total", help: "More." } });
    const text = await registry.metrics();
    expect(text).toContain("nodejs_eventloop_lag_p99_seconds");
    expect(text).toContain("t_sent_total 0");
    expect(text).toContain("t_more_total 0");
  });

  it("has nothing that is told by listing every connection", async () => {
    const text = await createMetricsRegistry().metrics();
    expect(text).toContain("nodejs_active_requests_total");
    expect(text).not.toMatch(/nodejs_active_(resources|handles)/);
  });

  it("refuses a name twice", () => {
    const { registry } = setUp();
    expect(() => registerMetrics(registry, { open: table.open })).toThrow("already been registered");
  });
});
