// A process of subscribers: opens connections, subscribes, counts what arrives, samples latency, reports once a second
// to its parent. Run by `child.ts`'s `spawnPinned`; never by hand.
//
// Arguments (JSON): { port, path, headers, subscribe, connections, sampleEvery }

import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { FrameScanner } from "./frame-scanner.js";

export interface LoadClientOptions {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent after the handshake; none when the peer sends to everybody. */
  readonly subscribe: string | null;
  readonly connections: number;
  /** Of this many event frames one is looked at for its latency. */
  readonly sampleEvery: number;
}

/** What the client tells its parent, once a second and at the end. */
export interface LoadReport {
  readonly connected: number;
  readonly frames: number;
  readonly bytes: number;
  readonly gaps: number;
  readonly outOfOrder: number;
  readonly closed: number;
  /** Sampled latencies since the last report, ms. */
  readonly latenciesMs: readonly number[];
  readonly cpuMs: number;
}

const readBytes = 256 * 1024;
const connectAtOnce = 50;
const gapMark = Buffer.from('"type":"gap"');
const sentMark = Buffer.from('"sent_at":');
const seqMark = Buffer.from('"seq":');

const options = JSON.parse(process.argv[2] ?? "{}") as LoadClientOptions;
let connected = 0;
let frames = 0;
let bytes = 0;
let gaps = 0;
let outOfOrder = 0;
let closed = 0;
let latenciesMs: number[] = [];

/** A masked text frame of at most 64 KiB, as clients send them. */
function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff]);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] as number));
  return Buffer.concat([head, mask, masked]);
}

function numberAfter(chunk: Buffer, mark: Buffer, at: number, end: number): number | undefined {
  const index = chunk.subarray(at, end).indexOf(mark);
  if (index === -1) return undefined;
  const text = chunk.toString("latin1", at + index + mark.length, Math.min(end, at + index + mark.length + 20));
  const value = Number.parseFloat(text);
  return Number.isFinite(value) ? value : undefined;
}

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const scanner = new FrameScanner();
    let head = "";
    let upgraded = false;
    let lastSeq = 0;
    let seen = 0;
    const onText = (chunk: Buffer, at: number, end: number): void => {
      seen += 1;
      if (seen % options.sampleEvery !== 0) return;
      const seq = numberAfter(chunk, seqMark, at, end);
      if (seq !== undefined) {
        if (seq <= lastSeq) outOfOrder += 1;
        lastSeq = seq;
      }
      if (chunk.subarray(at, Math.min(end, at + 16)).includes(gapMark)) gaps += 1;
      const sentAt = numberAfter(chunk, sentMark, at, end);
      // Both sides read the same clock: they are on one machine.
      if (sentAt !== undefined) latenciesMs.push(performance.timeOrigin + performance.now() - sentAt);
    };
    const scan = (chunk: Buffer, length: number): void => {
      const before = scanner.frames;
      scanner.scan(chunk, length, onText);
      frames += scanner.frames - before;
      bytes += length;
    };
    const socket: Socket = connect({
      port: options.port,
      host: "127.0.0.1",
      onread: {
        buffer: Buffer.allocUnsafe(readBytes),
        callback: (length: number, buffer: Uint8Array): boolean => {
          const chunk = buffer as Buffer;
          if (upgraded) {
            scan(chunk, length);
            return true;
          }
          head += chunk.toString("latin1", 0, length);
          const end = head.indexOf("\r\n\r\n");
          if (end === -1) return true;
          if (!head.startsWith("HTTP/1.1 101")) {
            reject(new Error(`handshake refused: ${head.slice(0, 200)}`));
            return true;
          }
          upgraded = true;
          connected += 1;
          if (options.subscribe !== null) socket.write(maskedFrame(options.subscribe));
          const rest = Buffer.from(head.slice(end + 4), "latin1");
          if (rest.length > 0) scan(rest, rest.length);
          resolve();
          return true;
        },
      },
    });
    socket.on("connect", () => {
      const headers = Object.entries(options.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(
        `GET ${options.path} HTTP/1.1\r\nHost: 127.0.0.1:${options.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n${headers.join("")}\r\n`,
      );
    });
    socket.on("error", reject);
    socket.on("close", () => {
      closed += 1;
    });
  });
}

function report(): void {
  const { user, system } = process.cpuUsage();
  const message: LoadReport = {
    connected,
    frames,
    bytes,
    gaps,
    outOfOrder,
    closed,
    latenciesMs,
    cpuMs: (user + system) / 1000,
  };
  latenciesMs = [];
  process.send?.(message);
}

for (let opened = 0; opened < options.connections; opened += connectAtOnce) {
  const count = Math.min(connectAtOnce, options.connections - opened);
  await Promise.all(Array.from({ length: count }, open));
}
process.on("message", report);
process.on("disconnect", () => process.exit(0));
report();
