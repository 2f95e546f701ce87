// Socket.IO with its default parser over WebSocket: one `emit` an event. No log, no authentication.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { envelope, EventSource } from "../dist/event-source.js";
import { usage } from "../dist/server-report.js";

/** Past this many packets in a client's buffer the saturating publisher waits for it. */
const packetsMax = 1000;

const options = JSON.parse(process.argv[2] ?? "{}");
const http = createServer();
// The load client answers no pings of Engine.IO's.
const io = new Server(http, { transports: ["websocket"], serveClient: false, pingInterval: 3_600_000 });

function isFull() {
  for (const socket of io.sockets.sockets.values()) if (socket.conn.writeBuffer.length > packetsMax) return true;
  return false;
}

const source = new EventSource({
  source: options,
  saturatedBatch: 1,
  publish: (events) => {
    for (const event of events) io.emit("event", JSON.parse(envelope(event)));
  },
  isFull,
});

function report(isIdle = false) {
  const { published } = source;
  // Engine.IO's and Socket.IO's handshakes are the path and the word "40".
  const path = "/socket.io/?EIO=4&transport=websocket";
  process.send({ port: http.address().port, path, headers: {}, subscribe: "40", published, ...usage(isIdle) });
}

process.on("message", (message) => {
  source.obey(message);
  report(message === "idle");
});
process.on("disconnect", () => process.exit(0));
http.listen(0, "127.0.0.1", () => report());
