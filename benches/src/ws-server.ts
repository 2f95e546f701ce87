// What most services do: `ws`, and one `send` of the event's text per client. No log, no authentication.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { benchPayload, usage, type ServerReport, type SourceOptions } from "./server-report.js";

/** Past this in a client's buffer the saturating publisher waits for it, bytes. */
const bufferedMax = 1024 * 1024;

const source = JSON.parse(process.argv[2] ?? "{}") as SourceOptions;
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
let published = 0;
let isRunning = false;
let seq = 0;

function publish(): void {
  seq += 1;
  published += 1;
  const event = {
    type: "event",
    seq,
    event_id: crypto.randomUUID(),
    event_type: "GPU_UPDATE",
    cluster_id: "c-1",
    timestamp: new Date().toISOString(),
    payload: benchPayload(),
  };
  const text = JSON.stringify(event);
  for (const client of server.clients) if (client.readyState === WebSocket.OPEN) client.send(text);
}

function isFull(): boolean {
  for (const client of server.clients) if (client.bufferedAmount > bufferedMax) return true;
  return false;
}

function saturate(): void {
  if (!isRunning) return;
  if (!isFull()) publish();
  setImmediate(saturate);
}

async function atRate(perSecond: number): Promise<void> {
  const startMs = performance.now();
  let sent = 0;
  while (isRunning) {
    const due = Math.floor(((performance.now() - startMs) / 1000) * perSecond);
    for (; sent < due; sent += 1) publish();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function report(): void {
  const { port } = http.address() as AddressInfo;
  const message: ServerReport = { port, headers: {}, subscribe: null, published, ...usage() };
  process.send?.(message);
}

process.on("message", (message) => {
  if (message === "start" && !isRunning) {
    isRunning = true;
    if (source.perSecond === null) saturate();
    else void atRate(source.perSecond);
  }
  if (message === "stop") isRunning = false;
  report();
});
process.on("disconnect", () => process.exit(0));
http.listen(0, "127.0.0.1", report);
