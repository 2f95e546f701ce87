// Protocol §8, `GET /api/v1/stream`: the same events, rights, policies and limits as a WebSocket, to `curl -N` and to a
// browser's EventSource, and cut and resumed without a loss.
// `SLUICE_CUTS=50` for the long form of being cut.
import { spawnSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import {
  adminToken,
  connectionsOf,
  CurlStream,
  eventually,
  mint,
  numberedEvents,
  numberOf,
  publish,
  publisherToken,
  request,
  startServer,
  within,
  type CurlOptions,
  type EventFrame,
  type StreamedEvent,
  type TestServer,
} from "@sluice/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const cuts = Number(process.env["SLUICE_CUTS"] ?? 5);
const hasCurl = spawnSync("curl", ["--version"]).status === 0;
if (!hasCurl) process.stdout.write("SKIPPED: no curl here; install it to read event streams as others do\n");

type Overrides = Parameters<typeof startServer>[0];

let server: TestServer;
let streams: CurlStream[];
beforeEach(async () => {
  server = await startServer();
  streams = [];
});
afterEach(async () => {
  await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

async function restartWith(overrides: Overrides): Promise<void> {
  await server[Symbol.asyncDispose]();
  server = await startServer(overrides);
}

function curl(query = "", options: CurlOptions = { token: mint() }): CurlStream {
  const stream = new CurlStream(`${server.url}/api/v1/stream${query}`, options);
  streams.push(stream);
  return stream;
}

/** Opens a stream and waits until it is subscribed. */
async function open(query = "", options?: CurlOptions): Promise<CurlStream> {
  const stream = curl(query, options);
  await stream.next("subscribed");
  return stream;
}

/** A frame of whatever type: its members are looked at by tests that know which to expect. */
interface AnyFrame extends EventFrame {
  readonly state: string;
  readonly from_seq: number;
  readonly to_seq: number;
  readonly reconnect_after_ms: number;
}

function frameOf(event: StreamedEvent): AnyFrame {
  return JSON.parse(event.data) as AnyFrame;
}

function eventsOf(stream: CurlStream): EventFrame[] {
  return stream.stream.events.filter(({ type }) => type === "message").map((event) => frameOf(event));
}

function isNumber(n: number) {
  return (event: StreamedEvent): boolean => event.type === "message" && numberOf(frameOf(event)) === n;
}

async function refusal(query: string, options: { token?: string | undefined; headers?: Record<string, string> } = {}) {
  const { status, headers, json } = await request(server.url, `/api/v1/stream${query}`, {
    token: "token" in options ? options.token : mint(),
    ...(options.headers === undefined ? {} : { headers: options.headers }),
  });
  return { status, headers, problem: json as Readonly<Record<string, unknown>> };
}

describe.skipIf(!hasCurl)("cut and resumed", () => {
  it(
    `curl -N, cut ${cuts} times, misses nothing and gets nothing twice`,
    { timeout: 60_000 + cuts * 5000 },
    async () => {
      const perLife = 400;
      let published = 0;
      let isOver = false;
      const publishing = (async () => {
        while (!isOver) {
          await publish(server.url, numberedEvents(20, published));
          published += 20;
        }
        await publish(server.url, numberedEvents(1, published));
      })();
      const seen: EventFrame[] = [];
      let lastEventId = "";
      for (let life = 0; life <= cuts; life += 1) {
        const headers: Record<string, string> = lastEventId === "" ? {} : { "last-event-id": lastEventId };
        const stream = curl(lastEventId === "" ? "?since=0" : "", { token: mint(), headers });
        if (life === cuts) {
          isOver = true;
          await publishing;
          await stream.nextWhere("the last event", isNumber(published));
        } else {
          const target = seen.length + perLife;
          await stream.nextWhere(`event ${target}`, () => seen.length + eventsOf(stream).length >= target);
          await stream[Symbol.asyncDispose]();
        }
        seen.push(...eventsOf(stream));
        ({ lastEventId } = stream.stream);
        expect(stream.stream.events.filter(({ type }) => type === "gap")).toEqual([]);
        // What is published while nobody listens.
        await pause(50);
      }
      expect(seen.map(numberOf)).toEqual(Array.from({ length: published + 1 }, (_, n) => n));
      expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1));
      process.stdout.write(`curl -N, cut ${cuts} times: ${seen.length} events, each once and in order\n`);
    },
  );

  it("a stream cut before its first event resumes from where it began", async () => {
    await publish(server.url, numberedEvents(3));
    const first = await open();
    await first[Symbol.asyncDispose]();
    expect(eventsOf(first), "it asked for what comes, not for what was").toEqual([]);
    await publish(server.url, numberedEvents(2, 3));
    const second = curl("", { token: mint(), headers: { "last-event-id": first.stream.lastEventId } });
    await second.nextWhere("what was published in between", isNumber(4));
    expect(eventsOf(second).map(numberOf)).toEqual([3, 4]);
  });

  it("a heartbeat moves the cursor of a narrow stream on", async () => {
    await restartWith({ heartbeat: { interval_ms: 100, timeout_ms: 100 } });
    const stream = await open("?events=RARE");
    await publish(server.url, numberedEvents(50));
    await eventually("the cursor to move", () => (stream.stream.lastEventId.endsWith(":50") ? true : undefined));
    expect(stream.stream.events.filter(({ type }) => type === "message")).toEqual([]);
    expect(stream.stream.comments[0]).toMatch(/^ ping \d{4}-/);
    await stream[Symbol.asyncDispose]();
    await publish(server.url, [{ event_type: "RARE", payload: { n: 50 } }]);
    const again = curl("?events=RARE", { token: mint(), headers: { "last-event-id": stream.stream.lastEventId } });
    await again.next("live");
    expect(eventsOf(again).map(numberOf)).toEqual([50]);
  });

  it("?since and ?epoch, or ?last_event_id, begin a stream where headers can't be set", async () => {
    await publish(server.url, numberedEvents(10));
    const bySeq = curl("?since=7");
    await bySeq.next("live");
    expect(eventsOf(bySeq).map(({ seq }) => seq)).toEqual([8, 9, 10]);
    const cursor = bySeq.stream.lastEventId.replace(/:10$/, ":9");
    const byCursor = curl(`?last_event_id=${cursor}&since=2`);
    await byCursor.next("live");
    expect(eventsOf(byCursor).map(({ seq }) => seq)).toEqual([10]);
  });

  it("a cursor of another log is answered with a gap and all that is retained", async () => {
    await publish(server.url, numberedEvents(5));
    const stream = curl("", { token: mint(), headers: { "last-event-id": "another-log:3" } });
    const gap = frameOf(await stream.next("gap"));
    expect(gap).toMatchObject({ reason: "epoch", dropped: null });
    await stream.next("live");
    expect(eventsOf(stream).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  it("what retention took is announced in its place", async () => {
    await restartWith({ log: { retention: { max_events: 10 } } });
    for (let first = 0; first < 30; first += 5) await publish(server.url, numberedEvents(5, first));
    const { lastEventId } = (await open()).stream;
    const epoch = lastEventId.slice(0, lastEventId.indexOf(":"));
    const stream = curl("", { token: mint(), headers: { "last-event-id": `${epoch}:5` } });
    const gap = frameOf(await stream.next("gap"));
    expect(gap).toMatchObject({ type: "gap", reason: "retention", from_seq: 6, dropped: null });
    await stream.next("live");
    expect(eventsOf(stream).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 30 - gap.to_seq }, (_, index) => gap.to_seq + 1 + index),
    );
  });
});

describe.skipIf(!hasCurl)("format", () => {
  it("is text/event-stream that no cache and no proxy holds back", async () => {
    const head = (await curl().opened()).toLowerCase();
    expect(head).toMatch(/^http\/1\.1 200 /);
    expect(head).toContain("content-type: text/event-stream; charset=utf-8");
    expect(head).toContain("cache-control: no-store, no-transform");
    expect(head).toContain("x-accel-buffering: no");
    expect(head).not.toContain("transfer-encoding");
    expect(head).not.toContain("content-length");
  });

  it("an event is a message with the frame of §4 as its data and its cursor as its id", async () => {
    const stream = await open();
    const event = { event_type: "GPU_UPDATE", cluster_id: "c-1", event_id: "e-1", source: "here", payload: { a: [1] } };
    await publish(server.url, [event]);
    const message = await stream.next("message");
    expect(message.lastEventId).toMatch(/^[^:]+:1$/);
    expect(frameOf(message)).toMatchObject({ type: "event", seq: 1, ...event });
    expect(stream.stream.unknownFields).toEqual([]);
  });

  it("whatever white space and text the publisher sent, an event is one message", async () => {
    const stream = await open();
    const payload = { text: "a\r\n\r\ndata: x\n\nid: 0\u2028\u2029\u0000é😀", list: [1, { b: null }] };
    const body = JSON.stringify({ event_type: "X", payload }, null, "\r\n\t");
    const { status } = await request(server.url, "/api/v1/events", {
      method: "POST",
      token: publisherToken(),
      headers: { "content-type": "application/json" },
      body,
    });
    expect(status).toBe(202);
    await publish(server.url, numberedEvents(1));
    await stream.nextWhere("the event after it", isNumber(0));
    expect(eventsOf(stream).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(eventsOf(stream)[0]?.payload).toEqual(payload);
  });

  it("the stream begins with connected and subscribed, and a replay ends with live", async () => {
    await publish(server.url, numberedEvents(1));
    const stream = curl("?events=GPU_*,ALERT&clusters=c-1&since=0&policy=replay&max_messages=10");
    expect(frameOf(await stream.next("connected"))).toMatchObject({
      policy: "replay",
      buffer: { max_messages: 10 },
      seq: 1,
    });
    expect(frameOf(await stream.next("subscribed"))).toMatchObject({ events: ["GPU_*", "ALERT"], clusters: ["c-1"] });
    expect(frameOf(await stream.next("live"))).toMatchObject({ type: "live", seq: 1 });
    expect(stream.stream.events.map(({ type }) => type)).toEqual(["connected", "subscribed", "message", "live"]);
  });

  it("HEAD answers with the head alone, and opens no stream", async () => {
    const stream = curl("", { token: mint(), args: ["--head"] });
    expect(await stream.opened()).toMatch(/^HTTP\/1\.1 200 /);
    expect(stream.head).toContain("content-type: text/event-stream");
    expect(await within("curl to end", stream.exited)).toMatchObject({ code: 0 });
    expect(stream.stream.events).toEqual([]);
    expect(await connectionsOf(server.url)).toEqual([]);
  });
});

describe.skipIf(!hasCurl)("rights", () => {
  it("401 without a token or with a bad one, with the challenge", async () => {
    for (const token of [undefined, "not.a.token", mint({ ttlMs: -60_000 })]) {
      const { status, headers, problem } = await refusal("", { token });
      expect(status).toBe(401);
      expect(headers.get("www-authenticate")).toMatch(/^Bearer/);
      expect(headers.get("content-type")).toBe("application/problem+json");
      expect(problem).toMatchObject({ status: 401 });
    }
  });

  it("403 for what the token does not allow", async () => {
    const token = mint({ events: ["GPU_*"], clusters: ["c-1"] });
    for (const query of ["?events=ALERT", "?events=*", "?events=GPU_X&clusters=c-1,c-2"]) {
      const { status, problem } = await refusal(query, { token });
      expect(status, `the status of ${query}`).toBe(403);
      expect(problem).toMatchObject({ status: 403, field: "events" });
    }
  });

  it("all clusters are those that the bearer may see", async () => {
    const stream = await open("?events=GPU_UPDATE", { token: mint({ clusters: ["c-1", "d-*"] }) });
    const clusters = ["c-1", "c-2", "d-7", undefined, "c-1"];
    await publish(
      server.url,
      clusters.map((cluster, n) => ({
        event_type: "GPU_UPDATE",
        ...(cluster === undefined ? {} : { cluster_id: cluster }),
        payload: { n },
      })),
    );
    await stream.nextWhere("the last event", isNumber(4));
    expect(eventsOf(stream).map(numberOf)).toEqual([0, 2, 4]);
  });

  it("a one-time ticket opens one stream", async () => {
    const { json } = await request(server.url, "/api/v1/tickets", { method: "POST", token: mint() });
    const query = `?ticket=${(json as { ticket: string }).ticket}`;
    await open(query, {});
    expect((await refusal(query, { token: undefined })).status).toBe(401);
  });

  it("a token that expires ends the stream on time, and says so", async () => {
    const expiresAtMs = (Math.floor(Date.now() / 1000) + 3) * 1000;
    const stream = await open("", { token: mint({ exp: expiresAtMs / 1000 }) });
    expect(frameOf(await stream.next("close"))).toMatchObject({ code: 4401, reason: "Token expired" });
    const notice = stream.stream.events.find(({ type }) => type === "token_expiring");
    expect(notice?.data).toContain(new Date(expiresAtMs).toISOString());
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAtMs);
    expect(Date.now() - expiresAtMs).toBeLessThan(5000 + 2000);
    expect(await within("curl to end", stream.exited)).toMatchObject({ code: 0 });
  });

  it("an origin that is not allowed gets 403, an allowed one is named", async () => {
    await restartWith({ server: { allowed_origins: ["https://console.example"] } });
    expect((await refusal("", { headers: { origin: "https://elsewhere.example" } })).status).toBe(403);
    const stream = curl("", { token: mint(), headers: { origin: "https://console.example" } });
    expect(await stream.opened()).toContain("access-control-allow-origin: https://console.example");
  });
});

describe("bad parameters", () => {
  it.each([
    ["?events=A**", "events"],
    ["?events=a%20b", "events"],
    [`?events=${Array.from({ length: 101 }, (_, index) => `E${index}`).join(",")}`, "events"],
    ["?clusters=c%2F1", "clusters"],
    ["?clusters=c-*", "clusters"],
    ["?policy=fast", "policy"],
    ["?max_messages=0", "max_messages"],
    ["?max_messages=1.5", "max_messages"],
    ["?since=-1", "since"],
    ["?since=9007199254740992", "since"],
    ["?since=x", "since"],
    ["?last_event_id=17", "Last-Event-ID"],
    ["?last_event_id=e:x", "Last-Event-ID"],
  ])("%s is refused with 400 naming the field", async (query, field) => {
    const { status, problem } = await refusal(query);
    expect(status).toBe(400);
    expect(problem).toMatchObject({ field, status: 400 });
  });

  it("a bad Last-Event-ID header is refused too", async () => {
    const { status, problem } = await refusal("", { headers: { "last-event-id": "no cursor" } });
    expect(status).toBe(400);
    expect(problem).toMatchObject({ field: "Last-Event-ID" });
  });
});

describe.skipIf(!hasCurl)("as one connection among others", () => {
  it("an operator sees it and ends it", async () => {
    const stream = await open("?events=GPU_*&policy=drop-newest", { token: mint({ sub: "bob" }) });
    const [shown] = await connectionsOf(server.url);
    expect(shown).toMatchObject({ user_id: "bob", policy: "drop-newest", is_alive: true, paused: false });
    const path = `/api/v1/connections/${shown?.connection_id ?? ""}`;
    expect((await request(server.url, path, { method: "DELETE", token: adminToken() })).status).toBeLessThan(300);
    expect(frameOf(await stream.next("close"))).toMatchObject({ code: 4403, reason: "Revoked" });
    expect(await within("curl to end", stream.exited)).toMatchObject({ code: 0 });
    expect(await connectionsOf(server.url)).toEqual([]);
  });

  it("counts against the limits of connections, and gives its place back", async () => {
    await restartWith({ limits: { connections: 3, connections_per_user: 2 } });
    const first = await open("", { token: mint({ sub: "one" }) });
    await open("", { token: mint({ sub: "one" }) });
    expect(await refusal("", { token: mint({ sub: "one" }) })).toMatchObject({ status: 503 });
    await open("", { token: mint({ sub: "two" }) });
    const { status, headers } = await refusal("", { token: mint({ sub: "three" }) });
    expect(status).toBe(503);
    expect(headers.get("retry-after")).toMatch(/^\d+$/);
    await first[Symbol.asyncDispose]();
    await eventually("a place to be free", async () =>
      (await connectionsOf(server.url)).length === 2 ? true : undefined,
    );
    await open("", { token: mint({ sub: "one" }) });
  });

  it("a drain ends it after what was accepted, with the time at which to come back", async () => {
    // Long enough for another request in the middle of it, on a busy machine.
    await restartWith({ server: { drain_ms: 4000 } });
    const all = await Promise.all(Array.from({ length: 5 }, () => open()));
    await publish(server.url, numberedEvents(100));
    const draining = server.drain();
    expect((await refusal("")).status).toBe(503);
    for (const stream of all) {
      const goodbye = frameOf(await stream.next("disconnect"));
      expect(goodbye).toMatchObject({ reason: "server_shutdown" });
      expect(stream.stream.retryMs, "what an EventSource will wait").toBe(goodbye.reconnect_after_ms);
      expect(frameOf(await stream.next("close"))).toMatchObject({ code: 1012, reason: "Service restart" });
      expect(eventsOf(stream).map(numberOf)).toEqual(Array.from({ length: 100 }, (_, n) => n));
      expect(await within("curl to end", stream.exited)).toMatchObject({ code: 0 });
    }
    expect(new Set(all.map(({ stream }) => stream.retryMs)).size, "each at a time of its own").toBe(all.length);
    await within("the drain", draining);
  });

  it("one that takes no heartbeat is put out, one that does is kept", async () => {
    await restartWith({ heartbeat: { interval_ms: 200, timeout_ms: 100, max_missed: 2 } });
    const kept = await open();
    const stuck = await open();
    stuck.signal("SIGSTOP");
    const large = { event_type: "GPU_UPDATE", payload: "x".repeat(4000) };
    for (let round = 0; round < 4; round += 1)
      await publish(
        server.url,
        Array.from({ length: 1000 }, () => large),
      );
    await eventually("the stuck one to be gone", async () =>
      (await connectionsOf(server.url)).length === 1 ? true : undefined,
    );
    stuck.signal("SIGCONT");
    await within("the stuck one to end", stuck.exited);
    await kept.comment("heartbeats", () => kept.stream.comments.length > 5);
    expect((await connectionsOf(server.url)).length).toBe(1);
  });
});

describe.skipIf(!hasCurl)("a slow reader", () => {
  const total = 30_000;
  const padding = "x".repeat(400);

  /** Stops curl, publishes until it is far behind, lets it go on. */
  async function stallAndRead(policy: string): Promise<CurlStream> {
    const stream = await open(`?policy=${policy}`);
    stream.signal("SIGSTOP");
    for (let first = 0; first < total; first += 5000) {
      const events = numberedEvents(5000, first).map((event) => ({
        ...event,
        payload: { n: numberOf(event), padding },
      }));
      await publish(server.url, events);
    }
    await eventually("it to be paused", async () =>
      (await connectionsOf(server.url))[0]?.["paused"] === true ? true : undefined,
    );
    stream.signal("SIGCONT");
    return stream;
  }

  async function readToEnd(stream: CurlStream): Promise<void> {
    await eventually("it to have caught up", async () => {
      const [shown] = await connectionsOf(server.url);
      return shown?.["paused"] === false && shown["pending"] === 0 ? true : undefined;
    });
    await publish(server.url, numberedEvents(1, total));
    await stream.nextWhere("the last event", isNumber(total), 30_000);
  }

  /** Paused and resumed by turns, in the end resumed: more than once where the kernel's buffers grew meanwhile. */
  function expectLag(events: readonly StreamedEvent[]): void {
    const states = events.filter(({ type }) => type === "lag").map((event) => frameOf(event).state);
    expect(states.length).toBeGreaterThan(0);
    expect(states).toEqual(states.map((_, index) => (index % 2 === 0 ? "paused" : "resumed")));
    expect(states.at(-1)).toBe("resumed");
  }

  it.each(["drop-oldest", "drop-newest"])("%s: lag events, and a gap exactly as large as the hole", async (policy) => {
    const stream = await stallAndRead(policy);
    await readToEnd(stream);
    const { events } = stream.stream;
    expectLag(events);
    let expected = 1;
    for (const event of events) {
      const frame = frameOf(event);
      if (event.type === "message") {
        expect(frame.seq).toBe(expected);
        expected += 1;
      } else if (event.type === "gap") {
        expect(frame).toMatchObject({ reason: "overflow", from_seq: expected, dropped: frame.to_seq - expected + 1 });
        expected = frame.to_seq + 1;
      }
    }
    expect(events.some(({ type }) => type === "gap")).toBe(true);
    expect(expected).toBe(total + 2);
  });

  it("replay: everything, in order, late", async () => {
    const stream = await stallAndRead("replay");
    await readToEnd(stream);
    expect(eventsOf(stream).map(numberOf)).toEqual(Array.from({ length: total + 1 }, (_, n) => n));
    expectLag(stream.stream.events);
  });

  it("disconnect: ended, and the place is given back although it reads nothing", async () => {
    const stream = await open("?policy=disconnect");
    stream.signal("SIGSTOP");
    const large = { event_type: "GPU_UPDATE", payload: padding };
    for (let round = 0; round < 6; round += 1)
      await publish(
        server.url,
        Array.from({ length: 5000 }, () => large),
      );
    await eventually("it to be gone", async () => ((await connectionsOf(server.url)).length === 0 ? true : undefined));
    stream.signal("SIGCONT");
    expect((await within("curl to end", stream.exited)).signal).toBeNull();
  });
});
