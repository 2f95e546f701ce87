// A WebSocket backend that sends what it is told to: nothing, frames at a rate, or as many as are taken. Run by `child.ts`'s
// `PinnedChild`; never by hand.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

/** Of one frame, bytes; an ordinary event. */
const payloadBytes = 220;
/** Frames that are written at once where there is no end to them. */
const burst = 256;
const tickMs = 20;

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const sockets = new Set<Duplex>();
let mode = "idle";
let seq = 0;

function frame(): Buffer {
  seq += 1;
  const sentAt = performance.timeOrigin + performance.now();
  const text = `{"type":"event","seq":${seq},"sent_at":${sentAt},"event_type":"GPU_UPDATE","payload":"`;
  const payload = Buffer.from(`${text.padEnd(payloadBytes - 2, "x")}"}`);
  return Buffer.concat([Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]), payload]);
}

const endless = Buffer.concat(Array.from({ length: burst }, frame));

function fill(socket: Duplex): void {
  while (mode === "saturate" && socket.writable && socket.write(endless));
}

const http = createServer();
http.on("request", (_request, response) => response.end("ok"));
http.on("upgrade", (request, socket) => {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${guid}`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  sockets.add(socket);
  socket.on("drain", () => fill(socket));
  socket.on("error", () => socket.destroy());
  socket.on("close", () => sockets.delete(socket));
  socket.resume();
});
setInterval(() => {
  if (mode !== "rate") return;
  for (const socket of sockets) socket.write(frame());
}, tickMs);
process.on("message", (message: string) => {
  mode = message;
  for (const socket of sockets) fill(socket);
  process.send?.({ port: (http.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));
http.listen(0, "127.0.0.1", () => process.send?.({ port: (http.address() as AddressInfo).port }));
