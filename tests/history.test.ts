// Protocol §8, `GET /api/v1/events`: what was published is what history holds, by pages and as a stream, within the
// bearer's rights, and with a word about whatever is missing.
import { request as httpRequest, type IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import {
  eventually,
  mint,
  numberedEvents,
  numberOf,
  publish,
  RawClient,
  request,
  spawnService,
  startServer,
  watchMemory,
  within,
  type EventFrame,
  type Frame,
  type TestServer,
} from "@sluice/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const ndjson = "application/x-ndjson";

interface HistoryPage {
  readonly epoch: string;
  readonly events: readonly EventFrame[];
  readonly next: number | null;
  readonly gap?: Frame;
}

let server: TestServer;
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server[Symbol.asyncDispose]());

async function restartWith(overrides: Parameters<typeof startServer>[0]): Promise<void> {
  await server[Symbol.asyncDispose]();
  server = await startServer(overrides);
}

async function history(query: string, token = mint(), url = server.url): Promise<HistoryPage> {
  const { status, headers, json, text } = await request(url, `/api/v1/events${query}`, { token });
  if (status !== 200) throw new Error(`history was answered with ${status}: ${text}`);
  expect(headers.get("content-type")).toContain("application/json");
  expect(headers.get("cache-control")).toBe("no-store");
  return json as HistoryPage;
}

/** Follows `next` until it is null. */
async function pages(query: string, token = mint(), url = server.url): Promise<HistoryPage[]> {
  const all = [await history(`?${query}`, token, url)];
  for (;;) {
    const { next, epoch } = all.at(-1) as HistoryPage;
    if (next === null) return all;
    all.push(await history(`?${query}&since=${next}&epoch=${epoch}`.replace(/since=\d+&(.*since=)/, "$1"), token, url));
  }
}

function seqsOf(events: readonly EventFrame[]): number[] {
  return events.map(({ seq }) => seq);
}

function upTo(count: number, first = 1): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

async function publishMany(count: number, url = server.url, padding = ""): Promise<void> {
  for (let first = 0; first < count; first += 5000) {
    const events = numberedEvents(Math.min(5000, count - first), first);
    await publish(
      url,
      events.map((event) => ({ ...event, payload: { n: numberOf(event), padding } })),
    );
  }
}

async function lines(query: string, token = mint(), url = server.url): Promise<Frame[]> {
  const { status, text, headers } = await request(url, `/api/v1/events${query}`, {
    token,
    headers: { accept: ndjson },
  });
  expect(status).toBe(200);
  expect(headers.get("content-type")).toContain(ndjson);
  return text === ""
    ? []
    : text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Frame);
}

async function refusal(query: string, options: { token?: string | undefined; accept?: string } = {}) {
  const { status, json, headers } = await request(server.url, `/api/v1/events${query}`, {
    token: "token" in options ? options.token : mint(),
    headers: { accept: options.accept ?? "*/*" },
  });
  return { status, headers, problem: json as Readonly<Record<string, unknown>> };
}

describe("by pages", () => {
  it.each([1, 7, 100, 1000])("following next with limit %i gives exactly what was published", async (limit) => {
    const total = limit === 1000 ? 2345 : limit * 5 + 3;
    await publishMany(total);
    const all = await pages(`limit=${limit}`);
    const events = all.flatMap((page) => page.events);
    expect(seqsOf(events)).toEqual(upTo(total));
    expect(events.map(numberOf)).toEqual(upTo(total, 0));
    expect(all.map((page) => page.events.length).slice(0, -1)).toEqual(all.slice(0, -1).map(() => limit));
    expect(all.filter(({ gap }) => gap !== undefined)).toEqual([]);
  });

  it("an event is the frame of §4, as a subscriber gets it", async () => {
    await using client = await RawClient.connect(server.url, { token: mint() });
    await client.subscribe(["*"]);
    const payload = { text: "é😀\u2028", list: [1, { b: null }] };
    await publish(server.url, [
      { event_type: "X", cluster_id: "c", source: "s", subject: "u", event_id: "e", payload },
    ]);
    expect((await history("")).events).toEqual(await client.events(1));
  });

  it("a page has 100 events without limit; the last one has next null", async () => {
    await publishMany(150);
    const first = await history("");
    expect([first.events.length, first.next]).toEqual([100, 100]);
    const second = await history("?since=100");
    expect([second.events.length, second.next]).toEqual([50, null]);
    expect(await history("?since=150")).toMatchObject({ events: [], next: null });
  });

  it("an empty log is an empty page", async () => {
    expect(await history("")).toMatchObject({ events: [], next: null });
  });

  it.each(["0", "1001", "-1", "1.5", "many"])("limit=%s is refused", async (limit) => {
    expect(await refusal(`?limit=${limit}`)).toMatchObject({ status: 400, problem: { field: "limit" } });
  });

  it.each(["since", "until"])("%s must be a seq", async (field) => {
    for (const value of ["-1", "x", "1e3", "9007199254740992"]) {
      expect(await refusal(`?${field}=${value}`)).toMatchObject({ status: 400, problem: { field } });
    }
  });

  it("until is the last that is looked at", async () => {
    await publishMany(50);
    expect(seqsOf((await history("?since=10&until=20")).events)).toEqual(upTo(10, 11));
    expect(await history("?since=10&until=10")).toMatchObject({ events: [], next: null });
    expect(await history("?since=20&until=10")).toMatchObject({ events: [], next: null });
    const cut = await history("?since=10&until=20&limit=10");
    expect([cut.events.length, cut.next]).toEqual([10, null]);
    expect(seqsOf((await history("?since=45&until=1000")).events)).toEqual(upTo(5, 46));
  });

  it("filters by event pattern and cluster", async () => {
    const types = ["GPU_UPDATE", "GPU_LOST", "ALERT"];
    const clusters = ["c-1", "c-2", undefined];
    const events = upTo(90, 0).map((n) => {
      const cluster = clusters[n % 3];
      return {
        event_type: types[Math.floor(n / 3) % 3],
        ...(cluster === undefined ? {} : { cluster_id: cluster }),
        payload: { n },
      };
    });
    await publish(server.url, events);
    const wanted = events.filter(
      ({ event_type: type, cluster_id: cluster }) => type?.startsWith("GPU_") && cluster === "c-1",
    );
    const all = await pages("events=GPU_*&clusters=c-1&limit=4");
    expect(all.flatMap((page) => page.events).map(numberOf)).toEqual(wanted.map(({ payload }) => payload.n));
    expect((await history("?events=ALERT,GPU_LOST&clusters=c-2&limit=1000")).events.length).toBe(20);
    expect((await history("?events=NONE")).events).toEqual([]);
  });

  it("a narrow search over a long log hands out pages as it goes, without holding anybody up", async () => {
    await restartWith({ log: { retention: { max_events: 1_000_000 } } });
    const total = 300_000;
    await publishMany(total / 2);
    await publish(server.url, [{ event_type: "RARE", payload: { n: -1 } }]);
    await publishMany(total / 2 - 2);
    await publish(server.url, [{ event_type: "RARE", payload: { n: -2 } }]);
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    turn();
    const all = await pages("events=RARE");
    isOver = true;
    expect(all.length).toBeGreaterThan(1);
    expect(seqsOf(all.flatMap((page) => page.events))).toEqual([total / 2 + 1, total]);
    expect(turns, "turns of the event loop while 300,000 records were looked at").toBeGreaterThan(total / 4096);
  });

  it("a page of large events ends early, and the next goes on", async () => {
    const padding = "x".repeat(200_000);
    for (let first = 0; first < 60; first += 20) {
      await publish(
        server.url,
        numberedEvents(20, first).map((event) => ({ ...event, payload: { n: numberOf(event), padding } })),
      );
    }
    const all = await pages("limit=1000");
    expect(all.length).toBeGreaterThan(1);
    expect(all.flatMap((page) => page.events).map(numberOf)).toEqual(upTo(60, 0));
  });
});

describe("rights", () => {
  it("401 without a token", async () => {
    const { status, headers } = await refusal("", { token: undefined });
    expect(status).toBe(401);
    expect(headers.get("www-authenticate")).toMatch(/^Bearer/);
  });

  it("403 for what the token does not allow, in pages and streams", async () => {
    const token = mint({ events: ["GPU_*"], clusters: ["c-1"] });
    for (const accept of ["*/*", ndjson]) {
      expect(await refusal("", { token, accept })).toMatchObject({ status: 403 });
      expect(await refusal("?events=ALERT", { token, accept })).toMatchObject({ status: 403 });
      expect(await refusal("?events=GPU_X&clusters=c-2", { token, accept })).toMatchObject({ status: 403 });
    }
  });

  it("no clusters are all that the bearer may see", async () => {
    await publish(server.url, [
      { event_type: "A", cluster_id: "c-1", payload: { n: 0 } },
      { event_type: "A", cluster_id: "c-2", payload: { n: 1 } },
      { event_type: "A", payload: { n: 2 } },
    ]);
    const token = mint({ clusters: ["c-1"] });
    expect((await history("?events=A", token)).events.map(numberOf)).toEqual([0]);
    expect((await lines("?events=A", token)).map((frame) => numberOf(frame as EventFrame))).toEqual([0]);
  });
});

describe("what is missing", () => {
  it("a position of another log, or beyond the head, is a gap and then everything", async () => {
    await publishMany(5);
    for (const query of ["?since=3&epoch=another", "?since=99"]) {
      const page = await history(query);
      expect(page.gap).toMatchObject({ type: "gap", reason: "epoch", dropped: null });
      expect(seqsOf(page.events)).toEqual(upTo(5));
      const [gap, ...rest] = await lines(query);
      expect(gap).toMatchObject({ type: "gap", reason: "epoch" });
      expect(rest.length).toBe(5);
    }
    const { epoch } = await history("");
    expect((await history(`?since=3&epoch=${epoch}`)).gap).toBeUndefined();
  });

  it("what retention took is a gap from since on; since=0 asks for what is retained", async () => {
    await restartWith({ log: { retention: { max_events: 10 } } });
    for (let first = 0; first < 40; first += 5) await publish(server.url, numberedEvents(5, first));
    const page = await history("?since=3");
    const [oldest] = seqsOf(page.events);
    expect(page.gap).toEqual({
      type: "gap",
      reason: "retention",
      from_seq: 4,
      to_seq: (oldest as number) - 1,
      dropped: null,
    });
    expect(seqsOf(page.events)).toEqual(upTo(41 - (oldest as number), oldest));
    expect((await history("")).gap).toBeUndefined();
    expect((await history("?since=3&until=8")).gap).toMatchObject({ from_seq: 4, to_seq: 8 });
    expect((await lines("?since=3&until=8")).map(({ type, to_seq: toSeq }) => [type, toSeq])).toEqual([["gap", 8]]);
    const [gap, first] = await lines("?since=3");
    expect(gap).toEqual(page.gap);
    expect(first).toMatchObject({ seq: oldest });
  });
});

/** A response whose body is read by hand. */
function openStream(url: string, query: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${mint()}`, accept: ndjson };
    httpRequest(`${url}/api/v1/events${query}`, { headers }, resolve).on("error", reject).end();
  });
}

async function readLines(response: IncomingMessage): Promise<Frame[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks)
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Frame);
}

describe("as NDJSON", () => {
  it("is everything, or as much as limit says", async () => {
    await publishMany(12_345);
    expect((await lines("")).map(({ seq }) => seq)).toEqual(upTo(12_345));
    expect((await lines("?limit=5000&since=100")).map(({ seq }) => seq)).toEqual(upTo(5000, 101));
    expect((await lines("?since=12000&until=12010")).map(({ seq }) => seq)).toEqual(upTo(10, 12_001));
    expect(await lines("?since=12345")).toEqual([]);
  });

  it("takes a place among the connections for as long as it lasts", async () => {
    await restartWith({ limits: { connections: 1 } });
    await publishMany(60_000, server.url, "x".repeat(200));
    const response = await openStream(server.url, "");
    expect(await refusal("", { accept: ndjson })).toMatchObject({ status: 503 });
    response.destroy();
    await eventually("the place to be free", async () =>
      (await refusal("?limit=1", { accept: ndjson })).status === 200 ? true : undefined,
    );
    expect((await lines("")).length).toBe(60_000);
    const head = await request(server.url, "/api/v1/events", {
      method: "HEAD",
      token: mint(),
      headers: { accept: ndjson },
    });
    expect(head.text).toBe("");
    expect((await lines("?limit=1")).length).toBe(1);
  });

  it("a reader that stops costs the service no memory, and gets everything when it goes on", async () => {
    await using service = await spawnService();
    const total = 60_000;
    await publishMany(total, service.url, "x".repeat(1000));
    // What reading costs at all.
    await openStream(service.url, "?limit=10000").then(readLines);
    using memory = watchMemory(service.pid);
    const streams = await Promise.all(upTo(10).map(() => openStream(service.url, "")));
    await pause(1500);
    const frames = await within("a whole stream", readLines(streams[0] as IncomingMessage), 40_000);
    expect(frames.map(({ seq }) => seq)).toEqual(upTo(total));
    expect(memory.peakBytes - memory.startBytes, "growth of the resident set").toBeLessThan(96 * 1024 * 1024);
    for (const stream of streams) stream.destroy();
  });

  it("retention that overtakes a slow reader leaves a gap exactly where events are missing", async () => {
    const retained = 20_000;
    await restartWith({ log: { retention: { max_events: retained } } });
    const padding = "x".repeat(1000);
    await publishMany(retained, server.url, padding);
    const response = await openStream(server.url, "");
    for (let round = 0; round < 3; round += 1) await publishMany(retained, server.url, padding);
    const frames = await within("the stream", readLines(response), 30_000);
    let expected = 1;
    for (const frame of frames) {
      if (frame.type === "gap") {
        expect(frame).toMatchObject({ reason: "retention", from_seq: expected, dropped: null });
        expected = (frame["to_seq"] as number) + 1;
      } else {
        expect(frame["seq"]).toBe(expected);
        expected += 1;
      }
    }
    expect(expected, "it ends where the head was when it was asked").toBe(retained + 1);
    expect(frames.some(({ type }) => type === "gap")).toBe(true);
  });

  it("a stream that the service can't finish does not look finished", async () => {
    await publishMany(60_000, server.url, "x".repeat(200));
    const response = await openStream(server.url, "");
    await server.close();
    await expect(readLines(response)).rejects.toThrow("aborted");
  });
});
