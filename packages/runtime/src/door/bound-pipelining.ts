// HTTP/1.1 lets a client send the next request before it has the answer to the last (RFC 9112 §9.3.2), and Node takes
// in as many as come. While answers wait for a token's issuer or a disk, one connection could make the process hold any
// number of requests, about 3 KB each, whoever sent them.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests of one connection that wait for their answers before no more is read from it. */
export const pipelinedMax = 32;

interface Pipeline {
  waiting: number;
  isHeld: boolean;
}

/**
 * Reads no further from a connection while {@link pipelinedMax} of its requests wait for their answers; what was read
 * with them, 64 KiB at most, is still taken. For when the server's own listeners are there.
 */
export function boundPipelining(server: Server): void {
  const pipelines = new WeakMap<Socket, Pipeline>();

  function pipelineOf(socket: Socket): Pipeline {
    const known = pipelines.get(socket);
    if (known !== undefined) return known;
    const pipeline: Pipeline = { waiting: 0, isHeld: false };
    pipelines.set(socket, pipeline);
    // Whoever reads a body resumes its socket, though all of it was read with the head.
    socket.on("resume", () => {
      if (pipeline.isHeld) socket.pause();
    });
    return pipeline;
  }

  const take = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    const pipeline = pipelineOf(socket);
    pipeline.waiting += 1;
    if (pipeline.waiting >= pipelinedMax && !pipeline.isHeld) {
      pipeline.isHeld = true;
      socket.pause();
    }
    response.once("close", () => {
      pipeline.waiting -= 1;
      if (!pipeline.isHeld || pipeline.waiting >= pipelinedMax) return;
      pipeline.isHeld = false;
      socket.resume();
    });
  };

  server.prependListener("request", take);
  // A listener for this one keeps Node from asking for the body by itself.
  if (server.listenerCount("checkContinue") > 0) server.prependListener("checkContinue", take);
}
