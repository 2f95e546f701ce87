// Requests that stand behind a stream on one connection never get their turn; when the connection goes, so does all that
// was held for them. And a stream that is asked for behind another request comes when that is answered.
import { mint, publish, RawSocket, request } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Door, doors, errorsOf } from "./doors.js";

const connectionsMax = 24;
const queued = 20;
/** Each would take most of the places for good. */
const rounds = 3;
/** As much as a page holds; so many that `queued` of them are more than may be held for all. */
const events = Array.from({ length: 64 }, () => ({ event_type: "A", payload: "x".repeat(60_000) }));
const fields = `Host: a\r\nAuthorization: Bearer ${mint({ sub: "queue" })}\r\n`;
const stream = `GET /api/v1/stream?events=A HTTP/1.1\r\n${fields}\r\n`;
const page = `GET /api/v1/events?since=0 HTTP/1.1\r\n${fields}\r\n`;
const history = `GET /api/v1/events?since=0 HTTP/1.1\r\n${fields}Accept: application/x-ndjson\r\n\r\n`;
const anonymous = "GET /api/v1/events HTTP/1.1\r\nHost: a\r\n\r\n";

async function streaming(url: string, behind: string): Promise<RawSocket> {
  const raw = await RawSocket.connect(url);
  raw.send(stream + behind);
  expect((await raw.head()).status).toBe(200);
  return raw;
}

/** Streams that are open together, as many as there may be connections. */
async function countPlaces(url: string): Promise<number> {
  const raws = await Promise.all(Array.from({ length: connectionsMax }, () => RawSocket.connect(url)));
  const heads = await Promise.all(
    raws.map((raw) => {
      raw.send(stream);
      return raw.head();
    }),
  );
  await Promise.all(raws.map((raw) => raw[Symbol.asyncDispose]()));
  return heads.filter(({ status }) => status === 200).length;
}

describe.each(doors)("on the %s", (name, open) => {
  let door: Door;
  beforeAll(async () => {
    const limits = { connections: connectionsMax, connections_per_user: 0, connections_per_address: 0 };
    // The service behind the gateway is to have room for all.
    const behind = { ...limits, connections: 10 * connectionsMax };
    door = await open({ limits: name === "gateway" ? behind : limits, gateway: { limits } });
    await publish(door.serviceUrl, events);
  });
  afterAll(async () => {
    await door[Symbol.asyncDispose]();
  });

  async function leaveWhileQueued(one: string): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      const raw = await streaming(door.url, one.repeat(queued));
      raw.reset();
      await raw.closed;
    }
  }

  it.each([
    ["streams of history", history],
    ["pages of history", page],
    ["requests without a token", anonymous],
    ["streams", stream],
  ])("%s that wait behind a stream leave their places when it goes", async (_what, one) => {
    await leaveWhileQueued(one);
    await expect.poll(() => countPlaces(door.url), { timeout: 10_000, interval: 200 }).toBe(connectionsMax);
    expect(errorsOf(door)).toEqual([]);
  });

  it("pages that wait behind a stream leave their memory to others when it goes", async () => {
    await leaveWhileQueued(page);
    const read = async (): Promise<number> => {
      const { json } = await request(door.url, "/api/v1/events?since=0", { token: mint() });
      return (json as { readonly events: readonly unknown[] }).events.length;
    };
    await expect.poll(read, { timeout: 10_000, interval: 200 }).toBe(events.length);
  });

  it("a stream that stands behind other requests comes after their answers", async () => {
    await using raw = await RawSocket.connect(door.url);
    raw.send(page + page + stream);
    for (const type of ["application/json", "application/json", "text/event-stream; charset=utf-8"]) {
      const { status, headers } = await raw.head();
      expect([status, headers.get("content-type")]).toEqual([200, type]);
    }
  });
});
