// `Expect: 100-continue` (RFC 9110 §10.1.1): a publisher is asked for its body after its head was let pass, so one that is
// refused never sends it.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";

/**
 * Takes over for `path` from Node, which writes `100 Continue` before anything has looked at a request; other paths keep
 * that. Returns what asks for the body of a request, when its client waits to be asked.
 */
export function deferContinue(
  app: FastifyInstance,
  path: string,
): (request: IncomingMessage, response: ServerResponse) => void {
  const waiting = new WeakSet<IncomingMessage>();
  app.server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.split("?", 1)[0] === path) waiting.add(request);
    else response.writeContinue();
    app.routing(request, response);
  });
  return (request, response) => {
    if (waiting.delete(request)) response.writeContinue();
  };
}
