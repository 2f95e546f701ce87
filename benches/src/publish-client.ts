// A process of publishers: each posts its batch again and again over its own connection, and times the answers. Run by
// `PinnedChild`; never by hand.

import { connect } from "node:net";

export interface PublishClientOptions {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly publishers: number;
  /** Events of one request. */
  readonly batch: number;
}

export interface PublishReport {
  readonly requests: number;
  /** Answers other than 202. */
  readonly refused: number;
  /** Since the last report, ms. */
  readonly latenciesMs: readonly number[];
  readonly cpuMs: number;
}

const readBytes = 16 * 1024;
const noteBytes = 10;

const options = JSON.parse(process.argv[2] ?? "{}") as PublishClientOptions;
const shared = Buffer.allocUnsafeSlow(readBytes);
let requests = 0;
let refused = 0;
let latenciesMs: number[] = [];

function requestOf({ port, headers, batch }: PublishClientOptions): Buffer {
  const event = {
    event_type: "GPU_UPDATE",
    cluster_id: "c-1",
    payload: { sent_at: 1_777_777_777_777.777, gpu: "gpu-0", note: "x".repeat(noteBytes) },
  };
  const body = Buffer.from(JSON.stringify(batch === 1 ? event : Array.from({ length: batch }, () => event)));
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head =
    `POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n${lines.join("")}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** Whether the answer is there whole: its head, and as many bytes as that names. */
function isWhole(answer: string): boolean {
  const end = answer.indexOf("\r\n\r\n");
  if (end === -1) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer)?.[1];
  return answer.length >= end + 4 + Number(length ?? 0);
}

function publisher(request: Buffer): void {
  let answer = "";
  let sentAtMs = 0;
  const send = (): void => {
    sentAtMs = performance.now();
    socket.write(request);
  };
  const socket = connect({
    port: options.port,
    host: "127.0.0.1",
    noDelay: true,
    onread: {
      buffer: shared,
      callback: (length: number): boolean => {
        answer += shared.toString("latin1", 0, length);
        if (!isWhole(answer)) return true;
        latenciesMs.push(performance.now() - sentAtMs);
        requests += 1;
        if (!answer.startsWith("HTTP/1.1 202")) {
          if (refused === 0) process.stderr.write(`${answer.slice(0, 300)}\n`);
          refused += 1;
        }
        answer = "";
        send();
        return true;
      },
    },
  });
  socket.on("error", (error) => {
    throw error;
  });
  send();
}

function report(): void {
  const { user, system } = process.cpuUsage();
  const message: PublishReport = { requests, refused, latenciesMs, cpuMs: (user + system) / 1000 };
  latenciesMs = [];
  process.send?.(message);
}

process.on("message", report);
process.on("disconnect", () => process.exit(0));
const request = requestOf(options);
for (let index = 0; index < options.publishers; index += 1) publisher(request);
report();
