// RFC 7692: an event is compressed once for all who asked for it, and says the same as the plain one. The clients are
// `ws`, which offers what browsers offer.
import { mint, publish, startServer } from "@sluice/testkit";
import type { Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { WebSocket } from "ws";

type Server = Awaited<ReturnType<typeof startServer>>;
let server: Server | undefined;
const sockets: WebSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

class Subscriber {
  readonly socket: WebSocket;
  readonly frames: { readonly type: string; readonly seq?: number; readonly payload?: unknown }[] = [];
  readonly closed: Promise<number>;
  #tcp: Socket | undefined;
  #wake: () => void = () => {};

  constructor({ url }: Server, perMessageDeflate: boolean) {
    this.socket = new WebSocket(`${url.replace("http", "ws")}/ws`, {
      headers: { authorization: `Bearer ${mint()}` },
      perMessageDeflate: perMessageDeflate && { threshold: 0 },
    });
    sockets.push(this.socket);
    this.socket.on("upgrade", ({ socket }) => (this.#tcp = socket));
    this.socket.on("message", (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString("utf8")) as { type: string });
      this.#wake();
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.socket.on("close", resolve));
  }

  get bytesRead(): number {
    return this.#tcp?.bytesRead ?? 0;
  }

  events(): unknown[] {
    return this.frames.filter(({ type }) => type === "event");
  }

  async until(what: () => boolean): Promise<void> {
    while (!what()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async subscribe(more: object = {}): Promise<void> {
    await this.until(() => this.frames.some(({ type }) => type === "connected"));
    this.socket.send(JSON.stringify({ type: "subscribe", events: ["*"], ...more }));
    await this.until(() => this.frames.some(({ type }) => type === "subscribed"));
  }
}

function events(count: number, words: number): object[] {
  return Array.from({ length: count }, (_, index) => ({
    event_type: "GPU_UPDATE",
    payload: { index, note: Array.from({ length: words }, (__, word) => `temperature of gpu ${word % 8} is ${word}`) },
  }));
}

it("is off unless the settings say otherwise", async () => {
  server = await startServer();
  const subscriber = new Subscriber(server, true);
  await subscriber.subscribe();
  expect(subscriber.socket.extensions).toBe("");
});

it("says the same to those who asked for it in fewer bytes, live and from the log", async () => {
  server = await startServer({ server: { compression: true } });
  const plain = new Subscriber(server, false);
  const deflated = [new Subscriber(server, true), new Subscriber(server, true)];
  await Promise.all([plain, ...deflated].map((subscriber) => subscriber.subscribe()));
  expect(plain.socket.extensions).toBe("");
  for (const { socket } of deflated) expect(socket.extensions).toBe("permessage-deflate");

  const [plainBefore, deflatedBefore] = [plain.bytesRead, deflated[0]?.bytesRead ?? 0];
  // Around the smallest size that is compressed, and well over it.
  const published = [...events(5, 1), ...events(5, 11), ...events(5, 12), ...events(20, 40)];
  await publish(server.url, published);
  for (const subscriber of [plain, ...deflated]) {
    await subscriber.until(() => subscriber.events().length === published.length);
  }
  for (const subscriber of deflated) expect(subscriber.events()).toEqual(plain.events());
  expect(((deflated[0]?.bytesRead ?? 0) - deflatedBefore) * 2).toBeLessThan(plain.bytesRead - plainBefore);

  const late = new Subscriber(server, true);
  await late.subscribe({ since: 0 });
  await late.until(() => late.events().length === published.length);
  expect(late.events()).toEqual(plain.events());
});

it("bounds what a compressed message may become", async () => {
  server = await startServer({ server: { compression: true } });
  const attacker = new Subscriber(server, true);
  await attacker.subscribe();
  attacker.socket.send(" ".repeat(8 * 1024 * 1024));
  expect(await attacker.closed).toBe(1009);
  const other = new Subscriber(server, true);
  await other.subscribe();
});
