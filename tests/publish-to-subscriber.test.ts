// From `curl` to a plain WebSocket client: what is published in whatever form arrives, complete, in order, once.
import {
  mint,
  numberedEvents,
  numberOf,
  publish,
  publisherToken,
  RawClient,
  request,
  spawnService,
  startServer,
  toNdjson,
  type EventFrame,
} from "@sluice/testkit";
import { describe, expect, it } from "vitest";

const token = publisherToken();
const timestamp = "2026-01-31T12:00:00.000Z";
const native = { event_type: "GPU_UPDATE", cluster_id: "c-1", event_id: "e-1", timestamp, payload: { t: 70 } };
const cloudEvent = {
  specversion: "1.0",
  type: "GPU_UPDATE",
  id: "e-1",
  source: "/agents/7",
  subject: "gpu-0",
  clusterid: "c-1",
  time: timestamp,
  data: { t: 70 },
};
const ceHeaders = {
  "ce-specversion": "1.0",
  "ce-type": "GPU_UPDATE",
  "ce-id": "e-1",
  "ce-source": "/agents/7",
  "ce-subject": "gpu-0",
  "ce-clusterid": "c-1",
  "ce-time": timestamp,
};
const arrived = { type: "event", seq: 1, ...native };
const arrivedWithSource = { ...arrived, source: "/agents/7", subject: "gpu-0" };

describe("an event reaches a subscriber when it is published as", () => {
  const forms: readonly [string, Readonly<Record<string, string>>, unknown, unknown][] = [
    ["one JSON object", { "content-type": "application/json" }, native, arrived],
    ["a JSON array", { "content-type": "application/json" }, [native], arrived],
    ["NDJSON", { "content-type": "application/x-ndjson" }, `${JSON.stringify(native)}\n`, arrived],
    ["a structured CloudEvent", { "content-type": "application/cloudevents+json" }, cloudEvent, arrivedWithSource],
    [
      "a batch of CloudEvents",
      { "content-type": "application/cloudevents-batch+json" },
      [cloudEvent],
      arrivedWithSource,
    ],
    ["a binary CloudEvent", { "content-type": "application/json", ...ceHeaders }, { t: 70 }, arrivedWithSource],
  ];
  it.each(forms)("%s", async (_form, headers, body, expected) => {
    await using server = await startServer();
    await using client = await RawClient.connect(server.url, { token: mint() });
    await client.subscribe(["GPU_UPDATE"], { clusters: ["c-1"] });
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const { status, json } = await request(server.url, "/api/v1/events", {
      method: "POST",
      token,
      headers,
      body: text,
    });
    expect({ status, json }).toEqual({ status: 202, json: { accepted: 1, first_seq: 1, last_seq: 1 } });
    expect(await client.next("event")).toEqual(expected);
  });
});

it("an event published twice within the dedup window is accepted twice and delivered once", async () => {
  await using server = await startServer();
  await using client = await RawClient.connect(server.url, { token: mint() });
  await client.subscribe(["*"]);
  await publish(server.url, [native]);
  expect(await publish(server.url, [native])).toMatchObject({ accepted: 1, first_seq: 1, last_seq: 1, duplicates: 1 });
  await publish(server.url, [{ ...native, event_id: "e-2" }]);
  expect((await client.events(2)).map(({ event_id }) => event_id)).toEqual(["e-1", "e-2"]);
});

it("a request with one bad event among good ones stores none of them", async () => {
  await using server = await startServer();
  await using client = await RawClient.connect(server.url, { token: mint() });
  await client.subscribe(["*"]);
  const headers = { "content-type": "application/x-ndjson" };
  const body = toNdjson([native, { ...native, event_id: "e-2", event_type: "no such name!" }]);
  const { status, json } = await request(server.url, "/api/v1/events", { method: "POST", token, headers, body });
  expect({ status, json }).toMatchObject({ status: 400, json: { index: 1, line: 2, field: "event_type" } });
  await publish(server.url, [{ ...native, event_id: "e-3" }]);
  expect(await client.next("event")).toMatchObject({ seq: 1, event_id: "e-3" });
});

it("100,000 events published as NDJSON to a real process arrive complete, in order, once", async () => {
  const total = 100_000;
  const batch = 10_000;
  await using service = await spawnService();
  await using client = await RawClient.connect(service.url, { token: mint(), query: "policy=replay" });
  await client.subscribe(["GPU_UPDATE"]);
  const receiving = client.events(total, 50_000);
  for (let first = 0; first < total; first += batch) await publish(service.url, numberedEvents(batch, first));
  const events = await receiving;
  expect(events.map(numberOf)).toEqual(Array.from({ length: total }, (_, n) => n));
  expect(isStrictlyIncreasing(events)).toBe(true);
  expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(total);
  await publish(service.url, numberedEvents(1, total));
  expect(numberOf((await client.next("event")) as EventFrame), "nothing came twice").toBe(total);
});

function isStrictlyIncreasing(events: readonly EventFrame[]): boolean {
  return events.every(({ seq }, index) => index === 0 || seq > (events[index - 1] as EventFrame).seq);
}
