// A process of publishers: each posts its batch again and again over its own connection, or when it is due, and times the
// answers. Run by `PinnedChild`; never by hand.

import { connect } from "node:net";

export interface PublishClientOptions {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly publishers: number;
  /** Events of one request. */
  readonly batch: number;
  /** Requests a second of all publishers, in turn; each as soon as the one before is acknowledged where absent. */
  readonly perSecond?: number;
}

export interface PublishReport {
  readonly requests: number;
  /** Answers other than 202. */
  readonly refused: number;
  /** Since the last report, ms; from when the request was due, where there is a rate. */
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

/** One connection; returns what posts a request that is due, ms, as soon as those before it are acknowledged. */
function publisher(request: Buffer, onAnswer: () => void): (dueAtMs: number) => void {
  let answer = "";
  const dueMs: number[] = [];
  const socket = connect({
    port: options.port,
    host: "127.0.0.1",
    noDelay: true,
    onread: {
      buffer: shared,
      callback: (length: number): boolean => {
        answer += shared.toString("latin1", 0, length);
        if (!isWhole(answer)) return true;
        latenciesMs.push(performance.now() - (dueMs.shift() ?? 0));
        requests += 1;
        if (!answer.startsWith("HTTP/1.1 202")) {
          if (refused === 0) process.stderr.write(`${answer.slice(0, 300)}\n`);
          refused += 1;
        }
        answer = "";
        if (dueMs.length > 0) socket.write(request);
        onAnswer();
        return true;
      },
    },
  });
  socket.on("error", (error) => {
    throw error;
  });
  return (dueAtMs) => {
    dueMs.push(dueAtMs);
    if (dueMs.length === 1) socket.write(request);
  };
}

/** Publishers in a circle: each posts anew as soon as it has its answer. */
function publishInTurns(request: Buffer): void {
  for (let index = 0; index < options.publishers; index += 1) {
    const post = publisher(request, () => post(performance.now()));
    post(performance.now());
  }
}

function publishAtRate(request: Buffer, perSecond: number): void {
  const posts = Array.from({ length: options.publishers }, () => publisher(request, () => undefined));
  const startMs = performance.now();
  let sent = 0;
  setInterval(() => {
    const due = ((performance.now() - startMs) * perSecond) / 1000;
    for (; sent < due; sent += 1) posts[sent % posts.length]?.(startMs + (sent * 1000) / perSecond);
  }, 1);
}

function report(): void {
  const { user, system } = process.cpuUsage();
  const message: PublishReport = { requests, refused, latenciesMs, cpuMs: (user + system) / 1000 };
  latenciesMs = [];
  process.send?.(message);
}

process.on("message", (message) => {
  // Telling tens of thousands of them would stall this process at the beginning of what is measured.
  if (message === "begin") latenciesMs = [];
  report();
});
process.on("disconnect", () => process.exit(0));
const request = requestOf(options);
if (options.perSecond === undefined) publishInTurns(request);
else publishAtRate(request, options.perSecond);
report();
