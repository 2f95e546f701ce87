// The client with nothing passed in: what Node 22 and newer have of their own, the WebSocket and `fetch`, as browsers do.
// In Node 20 there is no global WebSocket, and `connect` says what to do.
import { connect } from "@sluice/client";
import {
  eventually,
  FaultProxy,
  mint,
  numberedEvents,
  numberOf,
  publish,
  publisherToken,
  spawnService,
} from "@sluice/testkit";
import { expect, it } from "vitest";

const isThere = "WebSocket" in globalThis;
const version = process.versions.node;

it.skipIf(isThere)("without a global WebSocket it says which one to pass", () => {
  expect(() => connect({ url: "http://127.0.0.1:1" })).toThrow('no WebSocket here; pass that of "ws"');
});

it.skipIf(!isThere)(`with the WebSocket of Node ${version} itself, everything comes once and in order`, async () => {
  await using service = await spawnService();
  await using proxy = await FaultProxy.start(service.url);
  using sluice = connect({ url: proxy.url, token: () => publisherToken() });
  const numbers: number[] = [];
  sluice.subscribe({ events: ["GPU_*"], onGap: () => numbers.push(Number.NaN) }, (event) =>
    numbers.push(numberOf(event)),
  );
  const untilLive = () => eventually("live", () => (sluice.status.state === "live" ? true : undefined));
  await untilLive();
  let published = 0;
  for (let round = 0; round < 3; round += 1) {
    await publish(service.url, numberedEvents(500, published));
    published += 500;
    proxy.reset();
    await publish(service.url, numberedEvents(500, published));
    published += 500;
    await eventually("all events", () => (numbers.length >= published ? true : undefined));
    await untilLive();
  }
  await sluice.publish({ event_type: "GPU_UPDATE", payload: { n: published } });
  await eventually("our own event", () => (numbers.length > published ? true : undefined));
  expect(numbers).toEqual(Array.from({ length: published + 1 }, (_, n) => n));
  expect(sluice.counters.connections).toBeGreaterThan(3);
});

it.skipIf(!isThere)("goes on trying with a refused token, since its WebSocket tells no status", async () => {
  await using service = await spawnService();
  using sluice = connect({ url: service.url, token: `${mint()}x` });
  sluice.subscribe();
  // A failed handshake looks like a lost network here: it goes on trying, and says so.
  const status = await eventually("an attempt to fail", () =>
    sluice.status.state === "reconnecting" || sluice.status.state === "ended" ? sluice.status : undefined,
  );
  expect(status).toMatchObject({ state: "reconnecting" });
});
