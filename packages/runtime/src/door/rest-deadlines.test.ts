import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { restDeadlines } from "./rest-deadlines.js";

const headMs = 60;
const lookMs = 20;
const halfHead = "GET / HTTP/1.1\r\nHost: a\r\n";
const upgrade = `${halfHead}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`;

let server: Server;
let clients: Socket[];
let isFound: boolean;

const period = (): unknown => (server as { connectionsCheckingInterval?: number }).connectionsCheckingInterval;
const isAtRest = (): boolean => Number(period()) > 1e9;

async function open(text = ""): Promise<Socket> {
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  clients.push(client);
  client.on("error", () => {});
  client.resume();
  const accepted = once(server, "connection");
  await once(client, "connect");
  client.write(text);
  await accepted;
  return client;
}

async function toRest(): Promise<void> {
  while (!isAtRest()) await new Promise((resolve) => setImmediate(resolve));
}

beforeEach(async () => {
  clients = [];
  server = createServer({ headersTimeout: headMs, connectionsCheckingInterval: lookMs }, (_request, response) => {
    response.end("done");
  });
  server.on("upgrade", (_request, socket: Socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  });
  isFound = restDeadlines(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(() => {
  for (const client of clients) client.destroy();
  server.closeAllConnections();
  server.close();
});

describe("restDeadlines", () => {
  it("finds what Node does itself where it was", () => {
    expect(isFound).toBe(true);
  });

  it("looks at no deadline while nobody is connected", async () => {
    expect(isAtRest()).toBe(true);
    const client = await open();
    expect(period()).toBe(lookMs);
    client.destroy();
    await toRest();
  });

  it("ends a head that is late, of the first connection and of one after a rest", async () => {
    for (const _ of [1, 2]) {
      const client = await open(halfHead);
      let answer = "";
      client.on("data", (chunk) => (answer += String(chunk)));
      await once(client, "close");
      expect(answer).toMatch(/^HTTP\/1\.1 408/);
      await toRest();
    }
  });

  it("rests beside connections that were upgraded, and looks again beside them", async () => {
    const upgraded = await open();
    const answered = once(upgraded, "data");
    upgraded.write(upgrade);
    await answered;
    expect(isAtRest()).toBe(true);
    const late = await open(halfHead);
    await once(late, "close");
    await toRest();
    expect(upgraded.destroyed).toBe(false);
    upgraded.destroy();
    await once(upgraded, "close");
    expect(isAtRest()).toBe(true);
  });

  it("looks while one of several is left, and at a second head of a connection that is kept", async () => {
    const kept = await open();
    const other = await open();
    other.destroy();
    await once(other, "close");
    const answered = once(kept, "data");
    kept.write(`${halfHead}\r\n`);
    await answered;
    expect(period()).toBe(lookMs);
    kept.write(halfHead);
    await once(kept, "close");
    await toRest();
  });

  it("leaves a server without upgrades to answer who asks for one", async () => {
    const plain = createServer((_request, response) => response.end("done"));
    restDeadlines(plain);
    expect(plain.listenerCount("upgrade")).toBe(0);
  });
});
