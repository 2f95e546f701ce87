// `Expect: 100-continue` (RFC 9110 §10.1.1): the client is asked for its body after the hooks of `onRequest` let its
// request pass, so a refused publisher never sends one.
import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";

/**
 * Takes over from Node, which would write `100 Continue` for every request before anything has looked at it. For the
 * whole server: call it on the root instance, before it listens.
 */
export function registerContinue(app: FastifyInstance): void {
  const waiting = new WeakSet<IncomingMessage>();
  app.server.on("checkContinue", (request: IncomingMessage, response) => {
    waiting.add(request);
    app.routing(request, response);
  });
  app.addHook("preParsing", async (request, reply, payload) => {
    if (waiting.delete(request.raw)) reply.raw.writeContinue();
    return payload;
  });
}
