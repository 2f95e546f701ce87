// Protocol §5 and invariant 3: a subscriber that stops reading costs the others nothing, keeps a bounded buffer, and
// is told in place what it missed.
import {
  adminToken,
  connectionsOf,
  eventually,
  metricOf,
  mint,
  numberedEvents,
  numberOf,
  publish,
  RawClient,
  request,
  spawnService,
  watchMemory,
  type EventFrame,
  type Frame,
  type Service,
  type ShownConnection,
} from "@sluice/testkit";
import { expect, it } from "vitest";

const total = 50_000;
const maxMessages = 1000;
/** Well within the time that a peer gets to answer a close. */
const readsAgainAfterMs = 4000;
const growthBytesMax = 64 * 1024 * 1024;
/** As much as makes 50,000 events outgrow what two kernels buffer for one connection. */
const padding = "x".repeat(250);

const isEvent = (frame: Frame): frame is EventFrame => frame.type === "event";

function inOrder(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

async function connect(service: Service, sub: string, policy?: string): Promise<RawClient> {
  const query = policy === undefined ? "" : `policy=${policy}`;
  const client = await RawClient.connect(service.url, { token: mint({ sub }), query });
  await client.subscribe(["GPU_UPDATE"]);
  return client;
}

async function shownSlow(service: Service): Promise<ShownConnection | undefined> {
  return (await connectionsOf(service.url)).find(({ user_id: user }) => user === "slow");
}

/**
 * Publishes all, each batch when the healthy subscribers have had the one before; after each, `look` has a look.
 * Returns when every healthy subscriber got all of it, in order.
 */
async function publishAll(service: Service, healthy: readonly RawClient[], look: () => Promise<void>): Promise<void> {
  const received = healthy.map((): EventFrame[] => []);
  for (let first = 0; first < total; first += maxMessages) {
    const events = numberedEvents(maxMessages, first).map((event) => ({
      ...event,
      payload: { n: numberOf(event), padding },
    }));
    await publish(service.url, events);
    for (const [index, client] of healthy.entries()) received[index]?.push(...(await client.events(maxMessages)));
    await look();
  }
  for (const events of received) {
    expect(events.map(numberOf), "a healthy subscriber gets everything").toEqual(inOrder(total));
  }
}

/** What `slow` gets up to where it is level again. */
async function readToEnd(service: Service, slow: RawClient): Promise<Frame[]> {
  slow.resume();
  const caughtUp = async (): Promise<true | undefined> => {
    const shown = await shownSlow(service);
    return shown?.["pending"] === 0 && shown["paused"] === false ? true : undefined;
  };
  await eventually("the slow subscriber to have caught up", caughtUp, 20_000);
  await publish(service.url, numberedEvents(1, total));
  const isLast = (frame: Frame): boolean => isEvent(frame) && numberOf(frame) === total;
  return (await slow.until("the last event", isLast)).slice(0, -1);
}

/** Events come in order, and every hole among them is where a gap stands, and as large as it says. */
function countEvents(frames: readonly Frame[]): { received: number; dropped: number } {
  let received = 0;
  let dropped = 0;
  for (const frame of frames) {
    const next = received + dropped;
    if (isEvent(frame)) {
      expect(numberOf(frame)).toBe(next);
      received += 1;
    } else if (frame.type === "gap") {
      const size = frame["dropped"] as number;
      expect(frame).toEqual({
        type: "gap",
        reason: "overflow",
        from_seq: next + 1,
        to_seq: next + size,
        dropped: size,
      });
      dropped += size;
    }
  }
  return { received, dropped };
}

function lagStates(frames: readonly Frame[]): unknown[] {
  return frames.filter(({ type }) => type === "lag").map((frame) => frame["state"]);
}

/** Batches between two looks at the admin endpoint. */
const lookEvery = 5;

/** Stalls a subscriber while everything passes. */
async function stall(service: Service, slow: RawClient, healthy: readonly RawClient[]): Promise<void> {
  slow.pause();
  let largestBuffer = 0;
  let batches = 0;
  await publishAll(service, healthy, async () => {
    batches += 1;
    if (batches % lookEvery > 0) return;
    largestBuffer = Math.max(largestBuffer, (await shownSlow(service))?.["buffer_size"] as number);
  });
  expect(largestBuffer, "buffer_size").toBeLessThanOrEqual(maxMessages);
  expect(largestBuffer, "buffer_size").toBeGreaterThan(0.9 * maxMessages);
  expect(await metricOf(service.url, "sluice_connections_paused")).toBe(1);
}

it("memory of a fresh process grows by less than 64 MiB while a subscriber stands still", async () => {
  await using service = await spawnService();
  await using healthy = await connect(service, "healthy");
  await using slow = await connect(service, "slow");
  using memory = watchMemory(service.pid);
  await stall(service, slow, [healthy]);
  expect(memory.peakBytes - memory.startBytes, "growth of the resident set").toBeLessThan(growthBytesMax);
});

it.each(["drop-oldest", "drop-newest"])("%s: others get everything, gaps tell what is missing", async (policy) => {
  await using service = await spawnService();
  await using byDefault = await connect(service, "healthy");
  await using byReplay = await connect(service, "healthy", "replay");
  await using slow = await connect(service, "slow", policy);
  await stall(service, slow, [byDefault, byReplay]);

  const frames = await readToEnd(service, slow);
  const { received, dropped } = countEvents(frames);
  expect(received + dropped).toBe(total);
  expect(dropped).toBeGreaterThan(0);
  expect(lagStates(frames).slice(0, 2)).toEqual(["paused", "resumed"]);
  expect(await shownSlow(service)).toMatchObject({ policy, messages_dropped: dropped, buffer_size: 0, paused: false });
  expect(await metricOf(service.url, "sluice_connections_paused")).toBe(0);
  expect(await metricOf(service.url, "sluice_connection_pauses_total")).toBeGreaterThanOrEqual(1);
  expect(await metricOf(service.url, "sluice_connection_resumes_total")).toBeGreaterThanOrEqual(1);
  expect(await metricOf(service.url, `sluice_events_dropped_total{policy="${policy}"}`)).toBe(dropped);
});

it("replay: nothing is missing, however late it is read", async () => {
  await using service = await spawnService();
  await using healthy = await connect(service, "healthy");
  await using slow = await connect(service, "slow", "replay");
  await stall(service, slow, [healthy]);
  const frames = await readToEnd(service, slow);
  expect(frames.filter(isEvent).map(numberOf)).toEqual(inOrder(total));
  expect(frames.filter(({ type }) => type === "gap")).toEqual([]);
  expect(lagStates(frames).slice(0, 2)).toEqual(["paused", "resumed"]);
  expect(await shownSlow(service)).toMatchObject({ messages_dropped: 0 });
});

it("disconnect: closed with 4408 when the buffer is full, while others go on", async () => {
  await using service = await spawnService();
  await using slow = await connect(service, "slow", "disconnect");
  await using healthy = await connect(service, "healthy");
  slow.pause();
  // It reads again a good while after it was closed: the close waits behind what the kernels hold for it.
  const resumeWhenClosed = async (): Promise<void> => {
    const { json } = await request(service.url, "/api/v1/subscriptions", { token: adminToken() });
    const [counted] = (json as { readonly subscriptions: readonly { readonly connections: number }[] }).subscriptions;
    if (counted?.connections === 1) setTimeout(() => slow.resume(), readsAgainAfterMs).unref();
  };
  await publishAll(service, [healthy], resumeWhenClosed);
  expect(await slow.closed).toMatchObject({ code: 4408, reason: "Slow consumer" });
  await eventually("the slow one to be gone", async () =>
    (await shownSlow(service)) === undefined ? true : undefined,
  );
});
