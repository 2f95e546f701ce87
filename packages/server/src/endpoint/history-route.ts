// `GET /api/v1/events` (protocol §8): what the log holds, a page at a time, or as a stream of NDJSON that is read from
// the log only as fast as the client takes it.

import { Readable } from "node:stream";
import { type Problem, type RequireIdentity, sendProblem } from "@sluice/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { LogError, type EventLog, type EventMatch } from "../log/event-log.js";
import type { Connections, Place } from "./connections.js";
import { HistoryReader } from "./history-reader.js";
import { readHistoryQuery, type HistoryQuery } from "./history-query.js";
import { isProblem, matchWithin, readInterest } from "./read-interest.js";

/** How long a query waits to be level with the other nodes, ms. */
const catchUpMs = 5000;

const ndjsonMediaType = "application/x-ndjson";

const unreachable: Problem = {
  name: "unavailable",
  detail: "The log can't be asked for events now",
  headers: { "retry-after": "1" },
};

const ending: Problem = { name: "unavailable", detail: "The service is ending", headers: { "retry-after": "1" } };

const overCapacity: Problem = {
  name: "overloaded",
  detail: "There are as many connections as there may be",
  headers: { "retry-after": "1" },
};

export interface HistoryRouteOptions {
  readonly log: EventLog;
  /** A stream takes a place among them for as long as it lasts. */
  readonly connections: Connections;
  readonly requireIdentity: RequireIdentity;
}

/** Gives the place back before the client can know that the stream is over. */
async function* untilOver(lines: AsyncGenerator<Buffer>, place: Place): AsyncGenerator<Buffer> {
  try {
    yield* lines;
  } finally {
    place.release();
  }
}

export function registerHistoryRoute(app: FastifyInstance, options: HistoryRouteOptions): void {
  const { log, connections, requireIdentity } = options;
  const reader = new HistoryReader(log);

  app.get("/api/v1/events", async (request, reply) => {
    const identity = await requireIdentity(request, reply);
    if (identity === undefined) return reply;
    const parameters = new URL(request.url, "http://localhost").searchParams;
    const interest = readInterest(parameters);
    if (isProblem(interest)) return sendProblem(reply, interest);
    const match = matchWithin(identity.rights, interest);
    if (isProblem(match)) return sendProblem(reply, match);
    const isStream = request.headers.accept?.includes(ndjsonMediaType) === true;
    if (!(await isLevel())) return sendProblem(reply, unreachable);
    const query = readHistoryQuery(parameters, log, isStream);
    if (isProblem(query)) return sendProblem(reply, query);
    void reply.header("cache-control", "no-store");
    if (isStream && request.method === "HEAD") return reply.type(ndjsonMediaType).send("");
    return isStream ? sendLines(request, reply, identity.userId, match, query) : sendPage(reply, match, query);
  });

  /** What another node has acknowledged is in the history of this one too. */
  async function isLevel(): Promise<boolean> {
    if (!log.isShared) return true;
    return log.catchUp(catchUpMs).then(
      () => true,
      () => false,
    );
  }

  async function sendPage(reply: FastifyReply, match: EventMatch, query: HistoryQuery): Promise<FastifyReply> {
    try {
      const { json, release } = await reader.page(match, query);
      // Also when the client is already gone: a response that can't be sent is closed too.
      if (reply.raw.destroyed) release();
      else reply.raw.once("close", release);
      return await reply.type("application/json").send(json);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      if (error.code === "LOG_UNREACHABLE") return sendProblem(reply, unreachable);
      if (error.code === "LOG_CLOSED") return sendProblem(reply, ending);
      throw error;
    }
  }

  function sendLines(
    request: FastifyRequest,
    reply: FastifyReply,
    userId: string,
    match: EventMatch,
    query: HistoryQuery,
  ): FastifyReply {
    const place = connections.take(request.socket.remoteAddress ?? "");
    if (place?.claimFor(userId) !== true) {
      place?.release();
      return sendProblem(reply, overCapacity);
    }
    const lines = Readable.from(untilOver(reader.lines(match, query), place), { objectMode: false, highWaterMark: 0 });
    // Also when it is cut off before it was begun.
    lines.once("close", () => place.release());
    return reply.type(ndjsonMediaType).send(lines);
  }
}
