// The floor of what Node can do: `ws` for the handshake, then ready frames, all of a turn's in one buffer that every
// socket is handed as it is; with several clusters, each event to one socket, all in turn, in a write of its own. No log, no
// authentication, no subscriptions, no heartbeat, nothing is kept for the slow.

import { createServer } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer } from "ws";
import { envelope, EventSource } from "./event-source.js";
import { listenAndReport } from "./listen-and-report.js";
import type { ServerOptions } from "./server-report.js";

/** Past this in a client's buffer the saturating publisher waits for it, bytes. */
const bufferedMax = 1024 * 1024;

const options = JSON.parse(process.argv[2] ?? "{}") as ServerOptions;
const http = createServer();
const server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });
const sockets = new Set<Socket>();
http.on("upgrade", (request, socket, head) => {
  server.handleUpgrade(request, socket, head, (webSocket) => {
    sockets.add(socket as Socket);
    // Not even frames are read.
    if (options.pingIntervalMs !== undefined) socket.removeAllListeners("data").on("data", () => {});
    webSocket.on("error", () => webSocket.terminate());
    webSocket.on("close", () => sockets.delete(socket as Socket));
  });
});

/** A text frame of up to 65,535 bytes. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([0x81, ...length]), payload]);
}

let turn: Buffer[] = [];

const isSelective = (options.clusters ?? 1) > 1;
let next = sockets.values();

/** The next in turn; undefined while there is none. */
function nextSocket(): Socket | undefined {
  const { value } = next.next();
  if (value !== undefined) return value;
  next = sockets.values();
  return next.next().value;
}

function flush(): void {
  if (isSelective) {
    for (const bytes of turn.splice(0)) nextSocket()?.write(bytes);
    return;
  }
  const bytes = turn.length === 1 ? (turn[0] as Buffer) : Buffer.concat(turn);
  turn = [];
  for (const socket of sockets) socket.write(bytes);
}

function isFull(): boolean {
  for (const socket of sockets) if (socket.writableLength > bufferedMax) return true;
  return false;
}

/** As Sluice does it: so many at a time as are due in this, ms. */
const pingSlotMs = 250;
const ping = frame('{"type":"ping","timestamp":"2026-11-23T00:00:00.000Z","seq":0}');

/** The least that a heartbeat can cost here: a write of what is ready, and a read that nobody looks at. */
function beat(intervalMs: number): void {
  let due = 0;
  let at = 0;
  setInterval(() => {
    const pinged = [...sockets];
    for (due += (pinged.length * pingSlotMs) / intervalMs; due >= 1; due -= 1) {
      at = (at + 1) % pinged.length;
      pinged[at]?.write(ping);
    }
  }, pingSlotMs);
}

if (options.pingIntervalMs !== undefined) beat(options.pingIntervalMs);

const source = new EventSource({
  source: options,
  saturatedBatch: 256,
  publish: (events) => {
    if (turn.length === 0) setImmediate(flush);
    for (const event of events) turn.push(frame(envelope(event)));
    return undefined;
  },
  isFull,
});

listenAndReport(http, source);
