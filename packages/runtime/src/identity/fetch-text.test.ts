import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { fetchText } from "./fetch-text.js";

const bytesMax = 1_000;

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`);
}

const get = async (url: URL, more: { signal?: AbortSignal; timeoutMs?: number } = {}) =>
  fetchText(fetch, { url, method: "GET", headers: {}, bytesMax, signal: new AbortController().signal, ...more });

describe("fetchText", () => {
  it("sends what it was given and gives back the whole body", async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      seen.push(`${request.method} ${String(request.headers["x-a"])}`);
      request.on("data", (chunk: Buffer) => seen.push(chunk.toString()));
      request.on("end", () => response.end("é".repeat(bytesMax / 2)));
    });
    const answer = await fetchText(fetch, {
      url,
      method: "POST",
      headers: { "x-a": "b" },
      body: "token=x",
      bytesMax,
      signal: new AbortController().signal,
    });
    expect(answer).toEqual({ ok: true, text: "é".repeat(bytesMax / 2) });
    expect(seen).toEqual(["POST b", "token=x"]);
  });

  it("takes an empty body", async () => {
    expect(await get(await serve((_, response) => response.end()))).toEqual({ ok: true, text: "" });
  });

  it("takes a body at the limit and none over it, also when compressed", async () => {
    const of = async (bytes: number) => get(await serve((_, response) => response.end("x".repeat(bytes))));
    expect(await of(bytesMax)).toMatchObject({ ok: true });
    expect(await of(bytesMax + 1)).toEqual({ ok: false, trouble: "answered more than 1000 bytes" });
    const bomb = await serve((_, response) => {
      response.setHeader("content-encoding", "gzip").end(gzipSync("x".repeat(10_000_000)));
    });
    expect(await get(bomb)).toEqual({ ok: false, trouble: "answered more than 1000 bytes" });
  });

  it("ends a body that never ends, at the limit", async () => {
    let closed: Promise<unknown> = Promise.reject(new Error("nobody asked"));
    closed.catch(() => {});
    const url = await serve((_, response) => {
      closed = once(response, "close");
      const more = () => {
        while (response.write("x".repeat(200)));
      };
      response.on("drain", more);
      more();
    });
    expect(await get(url)).toEqual({ ok: false, trouble: "answered more than 1000 bytes" });
    await closed;
  });

  it.each([201, 204, 302, 307, 404, 500])("takes a status %d for trouble and goes nowhere else", async (status) => {
    const paths: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(status, { location: "/elsewhere" }).end();
    });
    expect(await get(url)).toEqual({ ok: false, trouble: `answered ${status}` });
    expect(paths).toEqual(["/keys"]);
  });

  it("tries once more when the connection fails", async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      if (++requests === 1) request.socket.destroy();
      else response.end("keys");
    });
    expect(await get(url)).toEqual({ ok: true, text: "keys" });
    expect(requests).toBe(2);
  });

  it("and no third time, telling the system's code", async () => {
    const closedPort = new URL("http://127.0.0.1:1/keys");
    expect(await get(closedPort)).toEqual({ ok: false, trouble: expect.stringMatching(/^failed \(/) as unknown });
    let requests = 0;
    const url = await serve((request) => {
      requests++;
      request.socket.resetAndDestroy();
    });
    expect(await get(url)).toEqual({
      ok: false,
      trouble: expect.stringMatching(/^failed \((ECONNRESET|UND_ERR_SOCKET)\)$/) as unknown,
    });
    expect(requests).toBe(2);
  });

  it("waits no longer than its time, for a head or for a body", async () => {
    const silent = await serve(() => {});
    expect(await get(silent, { timeoutMs: 50 })).toEqual({ ok: false, trouble: "gave no answer in 50 ms" });
    const slow = await serve((_, response) => void response.writeHead(200).write("x"));
    expect(await get(slow, { timeoutMs: 50 })).toEqual({ ok: false, trouble: "gave no answer in 50 ms" });
  });

  it("ends with its signal", async () => {
    const stop = new AbortController();
    const url = await serve(() => stop.abort());
    expect(await get(url, { signal: stop.signal })).toMatchObject({ ok: false });
  });
});
