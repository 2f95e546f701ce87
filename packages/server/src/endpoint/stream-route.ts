// `GET /api/v1/stream` (protocol §8): the same subscriptions, policies, limits and lanes as a WebSocket, as
// Server-Sent Events. `Last-Event-ID` resumes.

import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type Identity, isOriginAllowed, type Problem, type RequireIdentity, sendProblem } from "@sluice/runtime";
import { readConnectionOptions, type ConnectionOptions } from "./connection-options.js";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Consumer } from "../delivery/consumer.js";
import { createSseEncoding, encodeCursor, parseCursor } from "../routing/sse-encoding.js";
import { Session, type SessionContext } from "../session/session.js";
import type { Connections, Place } from "./connections.js";
import type { EndpointTally } from "./endpoint-tally.js";
import { isProblem, matchWithin, readInterest, readSeq, type Interest } from "./read-interest.js";
import { SseSink } from "./sse-sink.js";

export interface StreamRouteOptions {
  readonly context: SessionContext;
  readonly connections: Connections;
  readonly tally: EndpointTally;
  readonly requireIdentity: RequireIdentity;
  readonly allowedOrigins: readonly string[];
  readonly defaults: ConnectionOptions;
  readonly isAccepting: () => boolean;
}

/** Where a stream begins. */
interface Start {
  readonly since: number | undefined;
  readonly epoch: string | undefined;
}

const overCapacity: Problem = {
  name: "overloaded",
  detail: "There are as many connections as there may be",
  headers: { "retry-after": "1" },
};

/** From `Last-Event-ID`, which a browser sends by itself when it reconnects; else from the query. */
function readStart(request: FastifyRequest, query: URLSearchParams): Start | Problem {
  const lastEventId = request.headers["last-event-id"] ?? query.get("last_event_id") ?? "";
  if (typeof lastEventId === "string" && lastEventId !== "") {
    const cursor = parseCursor(lastEventId);
    if (cursor !== undefined) return { since: cursor.seq, epoch: cursor.epoch };
    return {
      name: "invalid-parameter",
      field: "Last-Event-ID",
      detail: "Last-Event-ID must be an id that a stream gave",
    };
  }
  const since = readSeq(query, "since");
  if (typeof since === "object") return since;
  return { since, epoch: query.get("epoch") ?? undefined };
}

/** A stream has its connection to itself: it waits for the requests before it. False when the connection ends first. */
async function hasTurn(response: ServerResponse): Promise<boolean> {
  if (response.socket !== null) return true;
  if (response.destroyed) return false;
  return new Promise((resolve) => {
    response.once("socket", () => resolve(true)).once("close", () => resolve(false));
  });
}

export function registerStreamRoute(app: FastifyInstance, options: StreamRouteOptions): void {
  const { context, connections, tally, requireIdentity, allowedOrigins, defaults } = options;
  const encoding = createSseEncoding(context.log.epoch);

  app.get("/api/v1/stream", async (request, reply) => {
    if (!(await hasTurn(reply.raw))) return reply.hijack();
    if (!options.isAccepting()) {
      return sendProblem(reply, {
        name: "unavailable",
        detail: "The service is draining",
        headers: { "retry-after": "1" },
      });
    }
    const { origin } = request.headers;
    if (!isOriginAllowed(origin, allowedOrigins)) {
      return sendProblem(reply, { name: "forbidden", detail: "This origin may not connect", field: "Origin" });
    }
    const identity = await requireIdentity(request, reply);
    if (identity === undefined) return reply;
    const query = new URL(request.url, "http://localhost").searchParams;
    const interest = readInterest(query);
    if (isProblem(interest)) return sendProblem(reply, interest);
    const match = matchWithin(identity.rights, interest);
    if (isProblem(match)) return sendProblem(reply, match);
    const start = readStart(request, query);
    if (isProblem(start)) return sendProblem(reply, start);
    const chosen = readConnectionOptions(query, defaults);
    if (isProblem(chosen)) return sendProblem(reply, chosen);
    if (request.method === "HEAD") return reply.headers(streamHeaders).send("");
    const place = connections.take(request.socket.remoteAddress ?? "");
    if (place?.claimFor(identity.userId) !== true) {
      place?.release();
      tally.refused.capacity += 1;
      return sendProblem(reply, overCapacity);
    }
    return open(reply, place, identity, interest, start, chosen);
  });

  function open(
    reply: FastifyReply,
    place: Place,
    identity: Identity,
    interest: Interest,
    start: Start,
    chosen: ConnectionOptions,
  ): FastifyReply {
    const { raw } = reply;
    const { socket } = raw;
    if (socket === null || socket.destroyed) {
      place.release();
      return reply.hijack();
    }
    reply.hijack();
    writeHead(raw, reply.request.headers.origin);
    const sink = new SseSink(socket);
    const position = context.delivery.routedSeq;
    // Cut before its first event, a client that asked for what comes would otherwise not know from where on.
    if (start.since === undefined) sink.write(encodeCursor(context.log.epoch, position));
    const consumer = new Consumer({ id: randomUUID(), encoding, sink, ...chosen, position, now: context.clock.now() });
    const session = new Session(context, consumer, identity, { answersPings: false });
    const remoteAddress = socket.remoteAddress ?? "";
    const connectedAtMs = context.clock.wall();
    place.register({ id: consumer.id, userId: identity.userId, remoteAddress, connectedAtMs, session });
    tally.opened += 1;
    socket.on("drain", () => context.delivery.drained(consumer));
    socket.once("close", () => {
      session.end();
      place.release();
      tally.countClosed(sink.closedWith ?? 1006);
    });
    session.subscribe({ type: "subscribe", id: undefined, ...interest, ...start });
    return reply;
  }
}

const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  // No cache and no proxy may hold events back (nginx reads the second).
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
};

/** Without a length and without chunks the body ends with the connection (RFC 9112 §6.3). */
function writeHead(response: ServerResponse, origin: string | undefined): void {
  response.removeHeader("transfer-encoding");
  response.writeHead(200, {
    ...streamHeaders,
    ...(origin === undefined ? {} : { "access-control-allow-origin": origin, vary: "Origin" }),
    connection: "close",
  });
  response.flushHeaders();
}
