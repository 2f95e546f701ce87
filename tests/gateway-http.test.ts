// The HTTP interface through the gateway: the same tokens, streaming both ways, nothing of the backends' network shown.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  adminToken,
  eventually,
  mint,
  publish,
  publisherToken,
  RawSocket,
  request,
  startGateway,
  startServer,
  within,
} from "@sluice/testkit";
import { describe, expect, it } from "vitest";

const token = mint({ sub: "alice" });

/** A backend for HTTP that a test speaks for; health checks are answered. */
async function startHttp(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: IncomingMessage[] = [];
  const server = createServer((incoming, response) => {
    if (incoming.url === "/readyz") return void response.end("{}");
    seen.push(incoming);
    handle(incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    server,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("through the gateway", () => {
  it("publishing, history and the service's own refusals work as at the service", async () => {
    await using server = await startServer();
    await using gateway = await startGateway([server.url]);
    expect(await publish(gateway.url, [{ event_type: "E", payload: { n: 1 } }])).toMatchObject({ accepted: 1 });
    const { json } = await request(gateway.url, "/api/v1/events?since=0", { token });
    expect(json).toMatchObject({ events: [{ event_type: "E", payload: { n: 1 } }], next: null });
    expect((await request(gateway.url, "/api/v1/events", { method: "POST", token, body: "[]" })).status).toBe(403);
    expect((await request(gateway.url, "/api/v1/events?limit=x", { token })).status).toBe(400);
    expect((await request(gateway.url, "/api/v1/nowhere", { token })).status).toBe(404);
    expect((await request(gateway.url, "/elsewhere", { token })).status).toBe(404);
  });

  it("Server-Sent Events come as they happen, with the token in the query, and end with the client", async () => {
    await using server = await startServer();
    await using gateway = await startGateway([server.url]);
    const abort = new AbortController();
    const response = await fetch(`${gateway.url}/api/v1/stream?events=*&token=${token}`, { signal: abort.signal });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    await publish(gateway.url, [{ event_type: "SSE", payload: { n: 7 } }]);
    let text = "";
    while (!text.includes('"n":7'))
      text += (await within("the event", reader?.read() as Promise<{ value?: string }>)).value ?? "";
    expect(text).toMatch(/^id: .+:1$/m);
    abort.abort();
    await eventually("the service to have nobody", async () => {
      const { json } = await request(server.url, "/api/v1/connections", { token: adminToken() });
      return (json as { connections: unknown[] }).connections.length === 0 ? true : undefined;
    });
  });

  it("a preflight is answered at the door, an origin that is not allowed gets 403", async () => {
    await using server = await startServer();
    await using gateway = await startGateway([server.url], { gateway: { allowed_origins: ["https://app.example"] } });
    const ask = (origin: string) =>
      fetch(`${gateway.url}/api/v1/events`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
      });
    const allowed = await ask("https://app.example");
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([204, "https://app.example"]);
    expect((await ask("https://evil.example")).status).toBe(403);
    const history = await request(gateway.url, "/api/v1/events", { token, headers: { origin: "https://app.example" } });
    expect([history.status, history.headers.get("access-control-allow-origin")]).toEqual([200, "https://app.example"]);
  });

  it("a backend gets the headers that may pass, and no others", async () => {
    await using backend = await startHttp((_request, response) => response.setHeader("x-from", "backend").end("ok"));
    await using gateway = await startGateway([backend.url]);
    const answer = await request(gateway.url, `/api/v1/events?a=1&ticket_=2`, {
      method: "POST",
      token,
      body: "{}",
      headers: {
        "ce-id": "1",
        "x-user": "root",
        cookie: "a=b",
        "content-type": "application/json",
        forwarded: "for=1",
      },
    });
    expect([answer.status, answer.text, answer.headers.get("x-from")]).toEqual([200, "ok", "backend"]);
    const { headers, url } = backend.seen[0] as IncomingMessage;
    expect(url).toBe("/api/v1/events?a=1&ticket_=2");
    expect(headers).toMatchObject({ authorization: `Bearer ${token}`, "ce-id": "1", "content-length": "2" });
    for (const name of ["x-user", "cookie", "forwarded"]) expect(headers).not.toHaveProperty(name);
  });

  it.each(["/api/v1/../metrics", "/api/v1/%2e%2e/metrics", "/api/v1/x/..", "http://internal/api/v1/events"])(
    "%s goes to no backend",
    async (path) => {
      await using backend = await startHttp((_request, response) => response.end());
      await using gateway = await startGateway([backend.url]);
      await using raw = await RawSocket.connect(gateway.url);
      raw.send(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`);
      expect([400, 404]).toContain((await raw.head()).status);
      expect(backend.seen).toEqual([]);
    },
  );

  it.each([
    ["declared", true],
    ["in chunks", false],
  ])("a body over the limit is refused with 413, %s", async (_how, isDeclared) => {
    await using backend = await startHttp((incoming, response) => incoming.on("end", () => response.end()).resume());
    await using gateway = await startGateway([backend.url], { limits: { publish_body_bytes: 300_000 } });
    await using raw = await RawSocket.connect(gateway.url);
    const head = `POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`;
    const length = isDeclared ? "Content-Length: 300001" : "Transfer-Encoding: chunked";
    raw.send(`${head}${length}\r\n\r\n`);
    if (!isDeclared) for (let n = 0; n < 4; n += 1) raw.send(`${(100_000).toString(16)}\r\n${"x".repeat(100_000)}\r\n`);
    expect((await raw.head()).status).toBe(413);
  });

  it("a backend that is lost before it answers: 502, since it may have done it; in mid-answer the connection ends", async () => {
    await using backend = await startHttp((incoming, response) => {
      if (incoming.method === "POST") response.socket?.destroy();
      else {
        response.write("half");
        setImmediate(() => response.socket?.destroy());
      }
    });
    await using gateway = await startGateway([backend.url]);
    const answer = await request(gateway.url, "/api/v1/events", {
      method: "POST",
      token: publisherToken(),
      body: "{}",
    });
    expect([answer.status, (answer.json as { type: string }).type]).toEqual([502, "urn:sluice:problem:bad-gateway"]);
    await expect(request(gateway.url, "/api/v1/events", { token })).rejects.toThrow("terminated");
  });

  it("a reader that stops holds up its backend, and no memory", async () => {
    let written = 0;
    await using backend = await startHttp((_request, response) => {
      const fill = (): void => {
        while (response.write(Buffer.alloc(65_536))) written += 65_536;
        response.once("drain", fill);
      };
      fill();
    });
    await using gateway = await startGateway([backend.url]);
    await using raw = await RawSocket.connect(gateway.url);
    raw.send(`GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await raw.head();
    raw.socket.pause();
    let before = -1;
    await eventually("the backend to be held up", async () => {
      if (before === written) return true;
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return undefined;
    });
    // What the kernel holds on the two ways, and little more.
    expect(written).toBeLessThan(40_000_000);
  });
});

it("health and metrics may have a listener of their own", async () => {
  await using server = await startServer();
  await using gateway = await startGateway([server.url], { gateway: { ops_port: 0 } });
  expect(gateway.opsUrl).not.toBe(gateway.url);
  for (const path of ["/livez", "/readyz", "/metrics", "/healthz/detailed"]) {
    expect([(await request(gateway.opsUrl, path)).status, (await request(gateway.url, path)).status]).toEqual([
      200, 404,
    ]);
  }
  const { json } = await request(gateway.url, "/api/v1/backends", { token: adminToken() });
  expect(json).toMatchObject({ backends: [{ url: `${server.url}/`, draining: false }] });
});
