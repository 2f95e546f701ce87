// A process of subscribers: opens connections, subscribes, counts what arrives by frame headers alone, samples latency
// and order, and reports when it is asked. Run by `PinnedChild`; never by hand.

import { connect, type Socket } from "node:net";
import { mintToken } from "@sluice/runtime";
import { FrameScanner } from "./frame-scanner.js";
import { handshakeRequest, maskedFrame } from "./raw-handshake.js";

export interface LoadClientOptions {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Sent after the handshake; none when the peer sends to everybody. Of a list, connections take
   * turns at its texts; `#` stands for the connection's number.
   */
  readonly subscribe: string | readonly string[] | null;
  readonly connections: number;
  /** Of so many of its frames each connection looks at one for its latency and order, the connections in turn. */
  readonly sampleEvery: number;
  /** Every connection gets every event, so that a jump of `seq` is a loss; default false. */
  readonly isWhole?: boolean;
  /** So many of the connections, the last ones, stop reading once they are subscribed; default 0. */
  readonly stalled?: number;
  /** So many, the last ones, read slowly; default 0. */
  readonly slow?: number;
  /** What each of the slow reads a second; default 160 KB. */
  readonly slowBytesPerS?: number;
  /** Every connection brings a token of its own, signed with this secret. */
  readonly tokenSecret?: string;
  /** Frames are not looked at: all are this large, and counted by bytes. For peers that are faster than this client. */
  readonly frameBytes?: number;
  /** Handshakes under way at once; default 50. */
  readonly connectAtOnce?: number;
}

/** What the client tells its parent when it is asked. */
export interface LoadReport {
  readonly connected: number;
  readonly frames: number;
  readonly bytes: number;
  readonly gaps: number;
  readonly outOfOrder: number;
  /** Events of a whole stream that were passed over. */
  readonly missing: number;
  readonly pings: number;
  readonly closed: number;
  /** Connections that got nothing since the last report, but for those that are to be slow or stalled. */
  readonly silent: number;
  /** Sampled latencies since the last report, ms. */
  readonly latenciesMs: readonly number[];
  readonly cpuMs: number;
  /** When it was counted, ms of the client's monotonic clock: telling it takes a while. */
  readonly atMs: number;
  /** From the first handshake to the last answer, ms. */
  readonly connectMs: number;
  readonly connectCpuMs: number;
}

const readBytes = 256 * 1024;
/** What a slow subscriber reads at a time. */
const slowReadBytes = 8 * 1024;
const slowBytesPerSDefault = 160_000;
/** When the stalled stop reading: after the answer to their subscription. */
const stallAfterMs = 500;
const tokenTtlMs = 3_600_000;
const connectAtOnceDefault = 50;
const numberLengthMax = 20;
/** One that a read cut off is another number. */
const wholeNumber = /^[\d.]+(?=[^\d.])/;
/** No ping is longer, and hardly anything else is as short. */
const pingBytesMax = 125;
/** A frame's type stands at its beginning. */
const typeWithin = 24;
const gapMark = Buffer.from('"type":"gap"');
const pingMark = Buffer.from('"type":"ping"');
const sentMark = Buffer.from('"sent_at":');
const seqMark = Buffer.from('"seq":');

const options = JSON.parse(process.argv[2] ?? "{}") as LoadClientOptions;
/** How long a slow one rests after each read, ms. */
const slowRestMs = (1000 * slowReadBytes) / (options.slowBytesPerS ?? slowBytesPerSDefault);
/** One for all sockets: what is in it is looked at before the next is read, and it stays in the processor's cache. */
const shared = Buffer.allocUnsafeSlow(readBytes);
const pong = maskedFrame('{"type":"pong"}');
let connected = 0;
let frames = 0;
let bytes = 0;
let gaps = 0;
let outOfOrder = 0;
let missing = 0;
let pings = 0;
let closed = 0;
let latenciesMs: number[] = [];

function numberAfter(chunk: Buffer, mark: Buffer, at: number, end: number): number | undefined {
  const index = chunk.subarray(at, end).indexOf(mark);
  if (index === -1) return undefined;
  const from = at + index + mark.length;
  const text = chunk.toString("latin1", from, Math.min(end, from + numberLengthMax));
  const digits = wholeNumber.exec(text)?.[0];
  return digits === undefined ? undefined : Number(digits);
}

class Subscriber {
  /** Bytes came since it was looked at last. */
  hasHeard = false;
  readonly #index: number;
  readonly #scanner = new FrameScanner();
  readonly #onText = (chunk: Buffer, at: number, end: number): void => this.#look(chunk, at, end);
  readonly #onOpen: () => void;
  readonly #socket: Socket;
  #head = "";
  #isUpgraded = false;
  #seen: number;
  #lastSeq = 0;
  #lastSeqSeen = 0;
  readonly #buffer: Buffer;

  constructor(index: number, token: string | undefined, onOpen: () => void, onError: (error: Error) => void) {
    this.#index = index;
    // Each looks at others: at the same ones, a low rate would have its latency from an event or two, or from none.
    this.#seen = index % options.sampleEvery;
    this.#onOpen = onOpen;
    const isSlow = index >= options.connections - (options.slow ?? 0);
    this.#buffer = isSlow ? Buffer.allocUnsafeSlow(slowReadBytes) : shared;
    this.#socket = connect({
      port: options.port,
      host: "127.0.0.1",
      noDelay: true,
      onread: { buffer: this.#buffer, callback: (length: number) => this.#read(length, isSlow) },
    });
    const own: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#socket.write(handshakeRequest(options.port, options.path, { ...options.headers, ...own }));
    this.#socket.on("error", onError);
    this.#socket.on("close", () => {
      closed += 1;
    });
  }

  #read(length: number, isSlow: boolean): boolean {
    this.hasHeard = true;
    if (!this.#isUpgraded) this.#handshake(length);
    else if (isSlow) {
      // Neither counted nor timed: the healthy are what is measured.
      setTimeout(() => this.#socket.resume(), slowRestMs);
      this.#socket.pause();
    } else this.#scan(shared, length);
    return true;
  }

  #scan(chunk: Buffer, length: number): void {
    if (options.frameBytes !== undefined) {
      bytes += length;
      frames += length / options.frameBytes;
      return;
    }
    const before = this.#scanner.frames;
    this.#scanner.scan(chunk, length, this.#onText);
    frames += this.#scanner.frames - before;
    bytes += length;
  }

  #handshake(length: number): void {
    this.#head += this.#buffer.toString("latin1", 0, length);
    const end = this.#head.indexOf("\r\n\r\n");
    if (end === -1) return;
    if (!this.#head.startsWith("HTTP/1.1 101")) {
      this.#socket.destroy(new Error(`handshake refused: ${this.#head.slice(0, 200)}`));
      return;
    }
    this.#isUpgraded = true;
    connected += 1;
    const { subscribe, connections, stalled = 0 } = options;
    const text = Array.isArray(subscribe)
      ? (subscribe as readonly string[])[this.#index % subscribe.length]
      : (subscribe as string | null);
    if (text !== null && text !== undefined) this.#socket.write(maskedFrame(text.replace("#", String(this.#index))));
    const rest = Buffer.from(this.#head.slice(end + 4), "latin1");
    this.#head = "";
    if (rest.length > 0) this.#scan(rest, rest.length);
    if (this.#index >= connections - stalled) setTimeout(() => this.#socket.pause(), stallAfterMs);
    this.#onOpen();
  }

  #look(chunk: Buffer, at: number, end: number): void {
    this.#seen += 1;
    // Who answers none is closed by Sluice after 100 s.
    if (end - at <= pingBytesMax) this.#answer(chunk, at, end);
    if (this.#seen % options.sampleEvery !== 0) return;
    if (chunk.subarray(at, Math.min(end, at + typeWithin)).includes(gapMark)) gaps += 1;
    const sentAt = numberAfter(chunk, sentMark, at, end);
    if (sentAt === undefined) return;
    // Both sides read the same clock: they are on one machine.
    latenciesMs.push(performance.timeOrigin + performance.now() - sentAt);
    const seq = numberAfter(chunk, seqMark, at, end);
    if (seq === undefined) return;
    if (seq <= this.#lastSeq) outOfOrder += 1;
    else if (options.isWhole === true && this.#lastSeq > 0) {
      missing += Math.max(0, seq - this.#lastSeq - (this.#seen - this.#lastSeqSeen));
    }
    this.#lastSeq = seq;
    this.#lastSeqSeen = this.#seen;
  }

  #answer(chunk: Buffer, at: number, end: number): void {
    if (!chunk.subarray(at, Math.min(end, at + typeWithin)).includes(pingMark)) return;
    pings += 1;
    this.#socket.write(pong);
  }
}

const subscribers: Subscriber[] = [];
let connectMs = 0;
let connectCpuMs = 0;

/** Counts those that got nothing since it was called last. */
function countSilent(): number {
  const { stalled = 0, slow = 0 } = options;
  let silent = 0;
  for (const subscriber of subscribers.slice(0, subscribers.length - Math.max(stalled, slow))) {
    if (!subscriber.hasHeard) silent += 1;
    subscriber.hasHeard = false;
  }
  return silent;
}

function report(): void {
  const { user, system } = process.cpuUsage();
  const cpuMs = (user + system) / 1000;
  const message: LoadReport = {
    connected,
    frames,
    bytes,
    gaps,
    outOfOrder,
    missing,
    pings,
    closed,
    silent: countSilent(),
    latenciesMs,
    cpuMs,
    atMs: performance.now(),
    connectMs,
    connectCpuMs,
  };
  latenciesMs = [];
  process.send?.(message);
}

/** Opens them all, so many at a time: as one is open the next begins. */
async function openAll(): Promise<void> {
  const { connections, connectAtOnce = connectAtOnceDefault, tokenSecret } = options;
  const tokens: string[] = [];
  if (tokenSecret !== undefined) {
    for (let index = 0; index < connections; index += 1) {
      tokens.push(await mintToken(tokenSecret, { sub: `user-${index}`, ttlMs: tokenTtlMs }));
    }
  }
  let next = 0;
  const open = async (): Promise<void> => {
    while (next < connections) {
      const index = next;
      next += 1;
      await new Promise<void>((resolve, reject) => {
        subscribers[index] = new Subscriber(index, tokens[index], resolve, reject);
      });
    }
  };
  const startMs = performance.now();
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: connectAtOnce }, open));
  connectMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  connectCpuMs = (user + system) / 1000;
}

await openAll();
process.on("message", (message) => {
  // Telling tens of thousands of them would stall this process at the beginning of what is measured.
  if (message === "begin") latenciesMs = [];
  report();
});
process.on("disconnect", () => process.exit(0));
report();
