// What a request without an upgrade gets at the paths that take one.
import type { FastifyInstance } from "fastify";
import { upgradeRequired, websocketPaths } from "./handshake.js";
import { sendProblem } from "./problem.js";

/** Answers them with 426 and ends the connection: what comes behind a failed handshake is not read (RFC 9110 §15.5.22). */
export function registerWebSocketPaths(app: FastifyInstance): void {
  const problem = upgradeRequired("This path takes a WebSocket handshake: Upgrade: websocket, Connection: Upgrade");
  for (const path of websocketPaths) {
    app.all(path, async (_request, reply) =>
      sendProblem(reply, { ...problem, headers: { ...problem.headers, connection: "close" } }),
    );
  }
}
