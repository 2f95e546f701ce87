// An answer that nobody reads: Node waits for its reader without end, and with it waits what is held for the answer.
import type { IncomingMessage, Server, ServerResponse } from "node:http";

/** How long a client may take nothing of an answer, ms; of a full kernel buffer it takes over a megabyte unseen. */
const stallMsDefault = 120_000;

/**
 * Cuts connections whose client has taken nothing of an answer for `ms`, 120,000 by default, to twice that. Slow ones
 * stay, and so do those that wait for us: a request whose answer is yet to come, a stream with nothing to tell. For when
 * the server's own listeners are there.
 */
export function cutStalled(server: Server, ms = stallMsDefault): void {
  const watch = (_request: IncomingMessage, response: ServerResponse): void => {
    response.setTimeout(ms);
    response.on("timeout", cutIfWaiting);
  };
  server.prependListener("request", watch);
  // A listener for this one keeps Node from asking for the body by itself.
  if (server.listenerCount("checkContinue") > 0) server.prependListener("checkContinue", watch);
}

/** The connection was silent. One function for all answers; where they have a listener, Node itself cuts nothing. */
function cutIfWaiting(this: ServerResponse): void {
  if (this.socket !== null && this.socket.writableLength > 0) this.socket.destroy();
}
