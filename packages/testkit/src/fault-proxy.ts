// A TCP proxy that does to connections what networks do: delays, stalls, slowness, resets, cuts in mid-frame, silence
// without an end, refusal.
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

const msPerS = 1_000;

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes of both sides vanish, and so does every end of the one for the other. */
  isDead: boolean;
  /** Bytes of the server's that are still carried before the connection is cut. */
  leftBytes: number;
}

export class FaultProxy implements AsyncDisposable {
  /** `http://127.0.0.1:<port>`; stays the same through every fault. */
  readonly url: string;
  readonly #port: number;
  #server: Server;
  #target: URL;
  #delayMs = 0;
  #isStalled = false;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #cutAfterBytes = Number.POSITIVE_INFINITY;
  readonly #pairs = new Set<Pair>();
  /** Connections taken since the start. */
  connections = 0;

  constructor(server: Server, target: string) {
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.#port}`;
    this.#target = new URL(target);
    server.on("connection", (client) => this.#carry(client));
  }

  /** Listens on a free port in front of `target`. */
  static async start(target: string): Promise<FaultProxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new FaultProxy(server, target);
  }

  /** New connections go to `target` from now on. */
  retarget(target: string): void {
    this.#target = new URL(target);
  }

  /** Every chunk takes this much longer, ms; order is kept. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Nothing is read on any connection, old or new, until `flow()`; TCP holds both sides back. */
  stall(): void {
    this.#isStalled = true;
    for (const { client, server } of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  /** Each direction of each connection carries so much, bytes/s. */
  rate(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Each connection is reset once so many bytes more of the server's have been carried on it: within a frame, mostly. */
  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
    for (const pair of this.#pairs) pair.leftBytes = bytes;
  }

  /** Ends `stall()`, `delay()`, `rate()` and `cutAfter()`. */
  flow(): void {
    this.#delayMs = 0;
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
    this.cutAfter(Number.POSITIVE_INFINITY);
    this.#isStalled = false;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  /** Every connection of now is cut with a reset on both sides. */
  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  /** Connections of now stay open and carry nothing any more, and no end either; new ones are carried. */
  halfOpen(): void {
    for (const pair of this.#pairs) pair.isDead = true;
  }

  /** Nothing listens any more; living connections go on. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    // `close` calls back only when connections have ended; the port is free at once.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Listens again on the same port. */
  async accept(): Promise<void> {
    if (this.#server.listening) return;
    const server = createServer((client) => this.#carry(client));
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
  }

  #carry(client: Socket): void {
    this.connections += 1;
    const server = connect({ host: this.#target.hostname, port: Number(this.#target.port), allowHalfOpen: false });
    const pair: Pair = { client, server, isDead: false, leftBytes: this.#cutAfterBytes };
    this.#pairs.add(pair);
    this.#pipe(pair, client, server);
    this.#pipe(pair, server, client);
    if (this.#isStalled) {
      client.pause();
      server.pause();
    }
  }

  #pipe(pair: Pair, from: Socket, to: Socket): void {
    const late: Buffer[] = [];
    let dueAt = 0;
    from.setNoDelay(true);
    from.on("error", () => {});
    from.on("data", (chunk: Buffer) => {
      if (pair.isDead) return;
      if (from === pair.server && this.#isCutBy(chunk, pair)) return;
      if (this.#bytesPerSecond !== Number.POSITIVE_INFINITY) return this.#carryAtRate(from, to, chunk);
      if (this.#delayMs > 0 || late.length > 0) {
        // Also what comes just after a delay has ended waits for what came before it.
        late.push(chunk);
        dueAt = Math.max(dueAt, performance.now() + this.#delayMs);
        setTimeout(() => to.write(late.shift() as Buffer), dueAt - performance.now());
        return;
      }
      if (to.write(chunk)) return;
      from.pause();
      to.once("drain", () => {
        if (!this.#isStalled) from.resume();
      });
    });
    from.on("close", () => {
      if (pair.isDead) return;
      this.#pairs.delete(pair);
      setTimeout(() => to.destroy(), this.#delayMs);
    });
  }

  /** The next chunk is read when this one would be through. */
  #carryAtRate(from: Socket, to: Socket, chunk: Buffer): void {
    from.pause();
    to.write(chunk);
    const tookMs = (chunk.length / this.#bytesPerSecond) * msPerS;
    setTimeout(() => {
      if (!this.#isStalled) from.resume();
    }, tookMs);
  }

  #isCutBy(chunk: Buffer, pair: Pair): boolean {
    pair.leftBytes -= chunk.length;
    if (pair.leftBytes > 0) return false;
    // What comes before the cut arrives; a reset at once would take it back.
    pair.client.write(chunk.subarray(0, chunk.length + pair.leftBytes), () => pair.client.resetAndDestroy());
    pair.server.resetAndDestroy();
    pair.isDead = true;
    this.#pairs.delete(pair);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse();
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }
}
