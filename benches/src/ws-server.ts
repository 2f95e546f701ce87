// What most services do: `ws`, and one `send` of the event's text per client. No log, no authentication.

import { createServer, type IncomingMessage } from "node:http";
import { jwtVerify } from "jose";
import { WebSocket, WebSocketServer } from "ws";
import { envelope, EventSource } from "./event-source.js";
import { listenAndReport } from "./listen-and-report.js";
import type { ServerOptions } from "./server-report.js";

/** Past this in a client's buffer the saturating publisher waits for it, bytes. */
const bufferedMax = 1024 * 1024;

const options = JSON.parse(process.argv[2] ?? "{}") as ServerOptions;
const http = createServer();
const perMessageDeflate = options.deflate === true ? { threshold: 0 } : false;
const secret = options.secret === undefined ? undefined : Buffer.from(options.secret);

function verify(request: IncomingMessage, key: Uint8Array, answer: (isValid: boolean) => void): void {
  const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
  jwtVerify(token, key, { algorithms: ["HS256"] }).then(
    () => answer(true),
    () => answer(false),
  );
}

const server = new WebSocketServer({
  server: http,
  perMessageDeflate,
  ...(secret === undefined
    ? {}
    : {
        verifyClient: ({ req }: { req: IncomingMessage }, answer: (isValid: boolean) => void) =>
          verify(req, secret, answer),
      }),
});
server.on("connection", (client) => client.on("error", () => client.terminate()));

function send(text: string): void {
  for (const client of server.clients) if (client.readyState === WebSocket.OPEN) client.send(text);
}

function isFull(): boolean {
  for (const client of server.clients) if (client.bufferedAmount > bufferedMax) return true;
  return false;
}

const source = new EventSource({
  source: options,
  saturatedBatch: 1,
  publish: (events) => {
    for (const event of events) send(envelope(event));
    return undefined;
  },
  isFull,
});

listenAndReport(http, source);
