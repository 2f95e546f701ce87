import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { postEvents, readAnswer } from "./post-events.js";

const problem = (name: string, members: object = {}): string =>
  JSON.stringify({ type: `urn:sluice:problem:${name}`, title: name, ...members });

describe("readAnswer", () => {
  it("reads what was accepted", () => {
    expect(readAnswer(202, undefined, '{"accepted":3,"first_seq":7,"last_seq":9}')).toEqual({
      kind: "accepted",
      accepted: 3,
      firstSeq: 7,
      lastSeq: 9,
      duplicates: 0,
    });
    expect(readAnswer(202, undefined, '{"accepted":3,"first_seq":7,"last_seq":9,"duplicates":2}')).toMatchObject({
      duplicates: 2,
    });
  });

  it.each(["", "null", "[]", "{}", '{"accepted":"3"}', "<html>"])("is not taken in by a 202 with %j", (body) => {
    expect(readAnswer(202, undefined, body)).toMatchObject({
      kind: "refused",
      why: expect.stringContaining("not that of a Sluice") as unknown,
    });
  });

  it.each([408, 425, 429, 503, 507])("tries again after %i, when nothing was stored", (status) => {
    expect(readAnswer(status, "2", problem("x"))).toEqual({
      kind: "unavailable",
      why: `x (HTTP ${status})`,
      retryAfterMs: 2_000,
      mayBeStored: false,
    });
  });

  it.each([500, 502, 504])("tries again after %i, which leaves open what was stored", (status) => {
    expect(readAnswer(status, undefined, "")).toMatchObject({ kind: "unavailable", mayBeStored: true });
  });

  it.each(["body-too-large", "batch-too-large"])("knows %s, which smaller requests help", (name) => {
    expect(readAnswer(413, undefined, problem(name))).toMatchObject({ kind: "too-large" });
  });

  it("names the event that was refused, and not its place in the request", () => {
    const detail = "Event 5 (line 6): payload must be at most 100 bytes of JSON";
    expect(readAnswer(413, undefined, problem("payload-too-large", { detail, index: 5 }))).toEqual({
      kind: "refused",
      status: 413,
      why: "payload must be at most 100 bytes of JSON (HTTP 413)",
      index: 5,
    });
  });

  it.each([
    [401, ""],
    [403, ""],
    [400, ""],
    [301, ""],
  ])("gives up at %i", (status, body) => {
    expect(readAnswer(status, undefined, body)).toMatchObject({ kind: "refused", status });
  });

  it("says of 404 that something else lives there", () => {
    expect(readAnswer(404, undefined, "<html>")).toMatchObject({
      why: "there is no Sluice at this address (HTTP 404)",
    });
  });
});

describe("postEvents", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  async function listen(server: Server): Promise<URL> {
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/events`);
  }

  it("sends NDJSON with the token in its header, over one connection", async () => {
    const seen: { url: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];
    const ports = new Set<number | undefined>();
    const url = await listen(
      createServer((request, response) => {
        ports.add(request.socket.remotePort);
        void text(request).then((body) => {
          seen.push({ url: request.url, headers: request.headers, body });
          response.writeHead(202).end('{"accepted":1,"first_seq":1,"last_seq":1}');
        });
      }),
    );
    await postEvents({ url, token: "abc" }, "{}\n");
    await postEvents({ url, token: undefined }, "{}\n");
    expect(seen[0]).toMatchObject({
      url: "/api/v1/events",
      headers: { "content-type": "application/x-ndjson", authorization: "Bearer abc" },
      body: "{}\n",
    });
    expect(seen[1]?.headers.authorization).toBeUndefined();
    expect(ports.size).toBe(1);
  });

  it("knows that nothing was stored where nothing listens", async () => {
    const server = createServer();
    const url = await listen(server);
    server.close();
    await once(server, "close");
    expect(await postEvents({ url, token: undefined }, "{}\n")).toMatchObject({
      kind: "unavailable",
      why: "connection refused; nothing listens there",
      mayBeStored: false,
    });
  });

  it("does not know it of a connection that is cut before the answer", async () => {
    const url = await listen(createServer((request) => request.socket.destroy()));
    expect(await postEvents({ url, token: undefined }, "{}\n")).toMatchObject({
      kind: "unavailable",
      mayBeStored: true,
    });
  });
});
