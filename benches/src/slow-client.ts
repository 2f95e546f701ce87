// A process of subscribers that read freely or, when told so, at a rate, and look at every frame. Forked by
// `PinnedChild`; never run by hand. Told `slow`, `free` or `report`, it answers with a report.

import type { Socket } from "node:net";
import { openConnection, openConnections } from "./open-connection.js";
import { SeqCheck, type Received } from "./seq-check.js";

export interface SlowClientOptions {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent after the handshake; of a list, connections take turns at its texts. */
  readonly subscribe: string | readonly string[];
  /** Each of them gets one event in so many; default 1. */
  readonly stride?: number;
  readonly connections: number;
  /** Of each connection, while it is slow. */
  readonly bytesPerS: number;
}

/** What the client tells its parent when asked. */
export interface SlowReport {
  readonly received: readonly Received[];
}

const tickMs = 50;
const readBytes = 64 * 1024;

const options = JSON.parse(process.argv[2] ?? "{}") as SlowClientOptions;
let isFree = true;

/** One subscriber; when it has read more than it may, it leaves its socket alone. */
class SlowSubscriber {
  readonly #check = new SeqCheck(options.stride);
  #socket: Socket | undefined;
  #budget = 0;
  #isResting = false;

  async open(index: number): Promise<void> {
    const { subscribe } = options;
    this.#socket = await openConnection({
      ...options,
      subscribe: typeof subscribe === "string" ? subscribe : (subscribe[index % subscribe.length] ?? null),
      readBytes,
      onBytes: (bytes, length) => this.#take(bytes, length),
      onClose: () => {
        this.#check.isClosed = true;
      },
    });
  }

  #take(bytes: Buffer, length: number): boolean {
    this.#check.read(bytes, length);
    this.#budget -= length;
    this.#isResting = this.#budget <= 0 && !isFree;
    return !this.#isResting;
  }

  earn(bytes: number): void {
    this.#budget = Math.min(this.#budget + bytes, options.bytesPerS);
    if (!this.#isResting || (!isFree && this.#budget <= 0)) return;
    this.#isResting = false;
    this.#socket?.resume();
  }

  get received(): Received {
    return this.#check.received;
  }
}

const subscribers = Array.from({ length: options.connections }, () => new SlowSubscriber());
await openConnections(options.connections, (index) => (subscribers[index] as SlowSubscriber).open(index));

let tickedAt = performance.now();
setInterval(() => {
  const now = performance.now();
  const earned = (options.bytesPerS * (now - tickedAt)) / 1000;
  tickedAt = now;
  for (const subscriber of subscribers) subscriber.earn(earned);
}, tickMs);

function report(): void {
  const message: SlowReport = { received: subscribers.map(({ received }) => received) };
  process.send?.(message);
}

process.on("message", (message) => {
  if (message === "free" || message === "slow") isFree = message === "free";
  report();
});
process.on("disconnect", () => process.exit(0));
report();
