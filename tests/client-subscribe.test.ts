// The SDK against a real service: live events, several subscriptions on one socket, history, rights, tokens, status.
import {
  connect,
  memoryCursors,
  SluiceError,
  type Gap,
  type SluiceEvent,
  type Sluice,
  type Subscription,
} from "@sluice/client";
import {
  connectionsOf,
  eventually,
  mint,
  numberedEvents,
  numberOf,
  publish,
  publisherToken,
  startServer,
  within,
} from "@sluice/testkit";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";

type Item = SluiceEvent | Gap;

function open(url: string, more: Partial<Parameters<typeof connect>[0]> = {}): Sluice {
  return connect({ url, token: mint(), WebSocket, ...more });
}

async function takeNumbers(items: Subscription<Item>, count: number): Promise<number[]> {
  const numbers: number[] = [];
  while (numbers.length < count) {
    const { value } = await within(`event ${numbers.length + 1} of ${count}`, items.next());
    if (value === undefined || value.type === "gap") throw new Error(`got ${JSON.stringify(value)}`);
    numbers.push(numberOf(value));
  }
  return numbers;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

function untilStatus(sluice: Sluice, state: Sluice["status"]["state"]): Promise<void> {
  return within(
    `status ${state}`,
    new Promise<void>((resolve) => {
      const off = sluice.onStatus((status) => {
        if (status.state !== state) return;
        resolve();
        setTimeout(() => off());
      });
    }),
    10_000,
    () => JSON.stringify(sluice.status),
  );
}

describe("subscribe", () => {
  it("hands out live events to each subscription that wants them, over one socket", async () => {
    await using server = await startServer();
    using sluice = open(server.url);
    const all = sluice.subscribe();
    const gpu = sluice.subscribe({ events: ["GPU_*"], clusters: ["c-1"] });
    const alerts = sluice.subscribe<{ ALERT_FIRED: { n: number } }>({ events: ["ALERT_FIRED"] });
    await untilStatus(sluice, "live");
    await publish(server.url, [
      ...numberedEvents(2),
      ...numberedEvents(2, 2, { cluster_id: "c-2" }),
      ...numberedEvents(2, 4, { event_type: "ALERT_FIRED" }),
    ]);
    expect(await takeNumbers(all, 6)).toEqual(range(0, 6));
    expect(await takeNumbers(gpu, 2)).toEqual([0, 1]);
    expect(await takeNumbers(alerts, 2)).toEqual([4, 5]);
    expect(await connectionsOf(server.url)).toHaveLength(1);
    expect(sluice.status).toEqual({ state: "live" });
    expect(sluice.counters).toMatchObject({ events: 6, repeats: 0, connections: 1, buffered: 0 });
  });

  it("begins in the past, joins the live end, and lets a second subscription join later from anywhere", async () => {
    await using server = await startServer();
    await publish(server.url, numberedEvents(1500));
    using sluice = open(server.url);
    const first = sluice.subscribe({ events: ["GPU_UPDATE"], since: 0 });
    expect(await takeNumbers(first, 1500)).toEqual(range(0, 1500));
    await publish(server.url, numberedEvents(10, 1500));
    const second = sluice.subscribe({ events: ["GPU_UPDATE"], clusters: ["c-1"], since: { seq: 1000 } });
    expect(await takeNumbers(second, 510)).toEqual(range(1000, 1510));
    expect(await takeNumbers(first, 10)).toEqual(range(1500, 1510));
    await publish(server.url, numberedEvents(10, 1510));
    expect(await takeNumbers(second, 10)).toEqual(range(1510, 1520));
    expect(await takeNumbers(first, 10)).toEqual(range(1510, 1520));
  });

  it("ends with break, close, signal and using, and asks for no more than is left", async () => {
    await using server = await startServer();
    using sluice = open(server.url);
    const ending = new AbortController();
    const aborted = sluice.subscribe({ events: ["A"], signal: ending.signal });
    const closed = sluice.subscribe({ events: ["B"] });
    const kept = sluice.subscribe({ events: ["C"] });
    await untilStatus(sluice, "live");
    const pending = Promise.all([aborted.next(), closed.next()]);
    ending.abort();
    closed.close();
    for (const { done } of await within("both to end", pending)) expect(done).toBe(true);
    {
      using scoped = sluice.subscribe({ events: ["D"] });
      expect(scoped.cursor).toBeUndefined();
    }
    const broken = sluice.subscribe({ events: ["C"] });
    await untilStatus(sluice, "live");
    await publish(server.url, numberedEvents(1, 0, { event_type: "C" }));
    for await (const event of broken) {
      expect(event.type).toBe("event");
      break;
    }
    expect(await takeNumbers(kept, 1)).toEqual([0]);
    const [connection] = await connectionsOf(server.url);
    expect(JSON.stringify(connection?.["subscriptions"])).toContain('"C"');
    expect(JSON.stringify(connection?.["subscriptions"])).not.toMatch(/"[ABD]"/);
  });

  it("calls back one item after the other, and tells what the callback threw", async () => {
    await using server = await startServer();
    await publish(server.url, numberedEvents(5));
    using sluice = open(server.url);
    const seen: number[] = [];
    let inside = 0;
    const subscription = sluice.subscribe({ since: 0, onGap: () => {} }, async (event) => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      seen.push(numberOf(event));
      if (seen.length === 5) throw new Error("enough");
    });
    await expect(subscription.finished).rejects.toThrow("enough");
    expect(seen).toEqual(range(0, 5));
    expect(subscription.cursor?.seq, "what threw is not handled").toBe(4);
  });

  it("throws in the loop whose subscription the token does not allow, and nowhere else", async () => {
    await using server = await startServer();
    using sluice = open(server.url, { token: mint({ events: ["GPU_*"] }) });
    const allowed = sluice.subscribe({ events: ["GPU_UPDATE"] });
    const refused = sluice.subscribe({ events: ["ALERT_FIRED", "GPU_UPDATE"] });
    await expect(within("the refusal", refused.next())).rejects.toMatchObject({ code: "FORBIDDEN" });
    await untilStatus(sluice, "live");
    await publish(server.url, numberedEvents(3));
    expect(await takeNumbers(allowed, 3)).toEqual(range(0, 3));
  });

  it("goes on from the cursor store with a new client", async () => {
    await using server = await startServer();
    await publish(server.url, numberedEvents(10));
    const cursorStore = memoryCursors();
    const before = open(server.url, { cursorStore });
    expect(await takeNumbers(before.subscribe({ name: "n", since: 0 }), 5)).toEqual(range(0, 5));
    before.close();
    using after = open(server.url, { cursorStore });
    // Event 4 was handed out, and nobody asked for the next: it doesn't count as handled.
    expect(await takeNumbers(after.subscribe({ name: "n" }), 6)).toEqual(range(4, 10));
  });

  it("tells what retention took, in its place", async () => {
    await using server = await startServer({ log: { retention: { max_events: 100 } } });
    await publish(server.url, numberedEvents(400));
    using sluice = open(server.url);
    const gaps: Gap[] = [];
    const events = sluice.subscribe({ since: 10, onGap: (gap) => gaps.push(gap) });
    const { value } = await within("an event after the gap", events.next());
    const first = numberOf(value as SluiceEvent);
    expect(gaps).toEqual([{ type: "gap", reason: "retention", from_seq: 11, to_seq: first, dropped: null }]);
    expect(await takeNumbers(events, 400 - first - 1)).toEqual(range(first + 1, 400));
  });
});

describe("tokens", () => {
  it("is asked again after a refusal, and goes on", async () => {
    await using server = await startServer();
    const tokens = ["no token at all", mint()];
    using sluice = open(server.url, { token: () => tokens.shift() ?? mint() });
    const events = sluice.subscribe();
    await untilStatus(sluice, "live");
    await publish(server.url, numberedEvents(1));
    expect(await takeNumbers(events, 1)).toEqual([0]);
  });

  it("ends with a fixed token that is refused", async () => {
    await using server = await startServer();
    using sluice = open(server.url, { token: "wrong" });
    const events = sluice.subscribe();
    await expect(within("the end", events.next())).rejects.toBeInstanceOf(SluiceError);
    expect(sluice.status).toMatchObject({ state: "ended" });
    expect(() => sluice.subscribe()).toThrow(SluiceError);
  });

  it("hands in a new one before the old one expires, without a break", async () => {
    await using server = await startServer();
    let asked = 0;
    // Within its last minute from the start: told at once that it expires.
    using sluice = open(server.url, { token: () => mint({ ttlMs: (asked += 1) === 1 ? 3_000 : 3_600_000 }) });
    const events = sluice.subscribe();
    await untilStatus(sluice, "live");
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await publish(server.url, numberedEvents(1));
    expect(await takeNumbers(events, 1)).toEqual([0]);
    expect(asked).toBe(2);
    expect(sluice.counters.connections).toBe(1);
  });

  it("goes on with the clusters that a new one still allows, and says which it doesn't", async () => {
    await using server = await startServer();
    let asked = 0;
    const narrow = { clusters: ["c-1"] };
    using sluice = open(server.url, { token: () => mint((asked += 1) === 1 ? { ttlMs: 20_000 } : narrow) });
    const gaps: Gap[] = [];
    const both = sluice.subscribe({
      events: ["GPU_UPDATE", "ALERT_FIRED"],
      clusters: ["c-1", "c-2"],
      onGap: (gap) => gaps.push(gap),
    });
    const taken = sluice.subscribe({ events: ["GPU_UPDATE"], clusters: ["c-2"] });
    await expect(within("the end of what was taken whole", taken.next())).rejects.toMatchObject({ code: "FORBIDDEN" });
    const next = within("an event of what is left", both.next());
    await eventually("the word of what was taken", () => (gaps.length > 0 ? true : undefined));
    expect(gaps).toMatchObject([{ reason: "forbidden", clusters: ["c-2"] }]);
    await publish(server.url, [...numberedEvents(2, 0, { cluster_id: "c-2" }), ...numberedEvents(2, 2)]);
    expect(numberOf((await next).value as SluiceEvent)).toBe(2);
    expect(await takeNumbers(both, 1)).toEqual([3]);
    await untilStatus(sluice, "live");
    expect(sluice.counters.connections).toBe(1);
  });
});

describe("publish", () => {
  it("sends calls together, in order, and knows whose event was bad", async () => {
    await using server = await startServer();
    using sluice = open(server.url, { token: publisherToken() });
    const events = sluice.subscribe({ since: 0 });
    const good = range(0, 1200).map((n) => sluice.publish({ event_type: "GPU_UPDATE", payload: { n } }));
    const bad = sluice.publish({ event_type: "no name", payload: null });
    const after = sluice.publish([{ event_type: "GPU_UPDATE", event_id: "mine", payload: { n: 1200 } }]);
    await expect(bad).rejects.toMatchObject({ code: "REFUSED", status: 400 });
    expect(await after).toMatchObject({ accepted: 1, event_ids: ["mine"], duplicates: 0 });
    await Promise.all(good);
    expect(await takeNumbers(events, 1201)).toEqual(range(0, 1201));
    expect(sluice.counters.published).toBe(1201);
  });

  it("says what the token does not allow, and that it was closed", async () => {
    await using server = await startServer();
    const sluice = open(server.url);
    await expect(sluice.publish({ event_type: "A", payload: 1 })).rejects.toMatchObject({ code: "FORBIDDEN" });
    sluice.close();
    await expect(sluice.publish({ event_type: "A", payload: 1 })).rejects.toMatchObject({ code: "CLOSED" });
  });
});
