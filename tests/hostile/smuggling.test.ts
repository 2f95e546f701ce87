// Two readers, one request: what could be read in two ways is refused and its connection ended, and nothing that hides
// behind it is answered, or reaches a service behind the gateway.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  acceptOf,
  frameBytes,
  mint,
  publisherToken,
  RawSocket,
  request,
  startGateway,
  startRawBackend,
  upgradeRequest,
  within,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doors, errorsOf, type Door } from "./doors.js";
import { hiddenPath, smuggleCases } from "./smuggling-cases.js";

function answersIn(bytes: Buffer): string[] {
  return bytes.toString("latin1").match(/HTTP\/1\.1 \d{3}/g) ?? [];
}

describe.each(doors)("on the %s", (_name, open) => {
  let door: Door;
  beforeAll(async () => {
    door = await open();
  });
  afterAll(async () => {
    await door[Symbol.asyncDispose]();
  });

  it.each(smuggleCases)("$name ($because)", async ({ bytes }) => {
    await using raw = await RawSocket.connect(door.url);
    raw.send(bytes);
    await within("the connection to be ended", raw.closed);
    const answers = answersIn(raw.rest);
    expect(answers.length).toBeLessThanOrEqual(2);
    // One refusal; before it, at most the answer to a body that was whole.
    expect(answers.at(-1) ?? "HTTP/1.1 400").toMatch(/ 4(?:00|01|13|26|31)$/);
    expect(answers.slice(0, -1)).not.toContain("HTTP/1.1 404");
  });

  it("and is as it was after all of it", async () => {
    expect((await request(door.url, "/readyz")).status).toBe(200);
    expect(errorsOf(door)).toEqual([]);
  });
});

describe("behind the gateway", () => {
  let backend: Server;
  let seen: string[];
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  beforeAll(async () => {
    seen = [];
    backend = createServer((incoming, response) => {
      if (incoming.url !== "/readyz") seen.push(`${incoming.method} ${incoming.url}`);
      incoming.resume().on("end", () => response.writeHead(202).end("{}"));
    });
    await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
    gateway = await startGateway([`http://127.0.0.1:${(backend.address() as AddressInfo).port}`]);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    backend.closeAllConnections();
    backend.close();
  });

  it.each(smuggleCases)("$name: the service sees nothing of what is hidden", async ({ bytes }) => {
    await using raw = await RawSocket.connect(gateway.url);
    raw.send(bytes);
    await within("the connection to be ended", raw.closed);
    expect(seen.filter((line) => line.includes(hiddenPath))).toEqual([]);
  });

  it.each([
    ["a path with an escaped line end", "/api/v1/x%0d%0aGET%20/api/v1/hidden"],
    ["a query with an escaped line end", "/api/v1/x?a=%0d%0aHost:%20evil"],
  ])("%s stays one line", async (_what, path) => {
    seen.length = 0;
    await request(gateway.url, path, { token: mint() });
    expect(seen).toEqual([`GET ${path}`]);
  });

  it.each(["Content-Length", "Transfer-Encoding", "Host", "Authorization", "X-Forwarded-For"])(
    "a Connection that nominates %s takes nothing away from the service",
    async (nominated) => {
      await using raw = await RawSocket.connect(gateway.url);
      const body = '{"event_type":"A","payload":1}';
      raw.send(
        `POST /api/v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${publisherToken()}\r\nConnection: close, ${nominated}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      const head = await raw.head();
      expect([202, 400]).toContain(head.status);
      expect(seen.filter((line) => line.includes(hiddenPath))).toEqual([]);
    },
  );

  it.each([
    ["401", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"],
    ["404 and keeps the connection", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"],
    [
      "101 with a wrong accept",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
    ],
    ["101 in HTTP/1.0", "HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"],
    ["200 to the upgrade", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  ])("a service that answers an upgrade with %s gets none of the bytes behind it", async (_what, answer) => {
    const heard: string[] = [];
    await using raw = await startRawBackend((socket) => {
      socket.on("data", (chunk: Buffer) => heard.push(chunk.toString("latin1")));
      socket.write(answer);
    });
    await using door = await startGateway([raw.url]);
    await using client = await RawSocket.connect(door.url);
    client.send(`${upgradeRequest({ token: mint() })}GET ${hiddenPath} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.head();
    client.socket.end();
    await within("the connection to be ended", client.closed);
    expect(heard.join("")).toBe("");
    expect(raw.heads.filter((head) => head.includes(hiddenPath))).toEqual([]);
  });

  it("behind a good upgrade a request is no frame: Close 1002, and the service hears none of it", async () => {
    const heard: Buffer[] = [];
    await using raw = await startRawBackend((socket, head) => {
      socket.on("data", (chunk: Buffer) => heard.push(chunk));
      const accept = `Sec-WebSocket-Accept: ${acceptOf(head)}`;
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${accept}\r\n\r\n`,
      );
    });
    await using door = await startGateway([raw.url]);
    await using client = await RawSocket.connect(door.url);
    const good = frameBytes({ payload: "first" });
    client.send(
      Buffer.concat([
        Buffer.from(upgradeRequest({ token: mint() })),
        good,
        Buffer.from(`GET ${hiddenPath} HTTP/1.1\r\n\r\n`),
      ]),
    );
    expect((await client.head()).status).toBe(101);
    expect((await client.closeFrame()).code).toBe(1002);
    expect(Buffer.concat(heard).toString("latin1")).not.toContain(hiddenPath);
  });
});
