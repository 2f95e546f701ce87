// HTTP/1.1 lets a client send the next request before it has the answer to the last (RFC 9112 §9.3.2), and Node takes
// in as many as come. While answers wait for a token's issuer or a disk, one connection could make the process hold any
// number of requests, about 3 KB each, whoever sent them. And whoever holds something for a request until its response
// closes would hold it for ever: of a response that stands behind another's, Node never says that it has closed.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Requests of one connection that wait for their answers before no more is read from it. */
export const pipelinedMax = 32;

interface Pipeline {
  /** In the order of their requests. */
  readonly waiting: Set<ServerResponse>;
  isHeld: boolean;
}

const pipelines = new WeakMap<Duplex, Pipeline>();

/**
 * Whether an answer on this connection is still to come or under way. An upgrade behind it can't be answered: answers
 * come in the order of their requests (RFC 9112 §9.3.2), and what came later would stand among frames.
 */
export function isAnswering(socket: Duplex): boolean {
  const { waiting = [] } = pipelines.get(socket) ?? {};
  for (const response of waiting) if (!hasLeft(response)) return true;
  return false;
}

/** All of it was handed to the socket. */
function hasLeft({ writableFinished, writableEnded, socket }: ServerResponse): boolean {
  return writableFinished || (writableEnded && socket !== null);
}

/**
 * Reads no further from a connection while {@link pipelinedMax} of its requests wait for their answers; what was read
 * with them, 64 KiB at most, is still taken. When a connection closes, so does every response that waits on it, and not
 * only the one whose turn it is: destroyed, with one `close`. For when the server's own listeners are there.
 */
export function boundPipelining(server: Server): void {
  function pipelineOf(socket: Socket): Pipeline {
    const known = pipelines.get(socket);
    if (known !== undefined) return known;
    const pipeline: Pipeline = { waiting: new Set(), isHeld: false };
    pipelines.set(socket, pipeline);
    // Whoever reads a body resumes its socket, though all of it was read with the head.
    socket.on("resume", () => {
      if (pipeline.isHeld) socket.pause();
    });
    socket.once("close", () => {
      for (const response of pipeline.waiting) closeQueued(response);
    });
    return pipeline;
  }

  const take = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    const pipeline = pipelineOf(socket);
    const { waiting } = pipeline;
    waiting.add(response);
    if (waiting.size >= pipelinedMax && !pipeline.isHeld) {
      pipeline.isHeld = true;
      socket.pause();
    }
    response.once("close", () => {
      waiting.delete(response);
      if (!pipeline.isHeld || waiting.size >= pipelinedMax) return;
      pipeline.isHeld = false;
      socket.resume();
    });
  };

  server.prependListener("request", take);
  // A listener for this one keeps Node from asking for the body by itself.
  if (server.listenerCount("checkContinue") > 0) server.prependListener("checkContinue", take);
}

/** One that has, or had, its turn is Node's to close. */
function closeQueued(response: ServerResponse): void {
  if (response.socket !== null || response.writableFinished) return;
  response.destroy();
  response.emit("close");
}
