// `GET /api/v1/events` (protocol §8): what the log holds, a page at a time, or as a stream of NDJSON that is read from
// the log only as fast as the client takes it.

import { Readable } from "node:stream";
import type { GapFrame } from "@sluice/protocol";
import type { FastifyInstance } from "fastify";
import { LogError, type EventLog, type EventMatch, type EventRecord } from "../log/event-log.js";
import { planReplay } from "../session/plan-replay.js";
import { type Problem, type RequireIdentity, sendProblem } from "@sluice/runtime";
import { isProblem, matchWithin, readInterest, readSeq } from "./read-interest.js";

/** Events of a page without `limit`, and the most that can be asked for. */
const limitDefault = 100;
const limitMax = 1000;
/** Bytes of a page, more or less: a page ends early rather than being very large. */
const pageBytesMax = 8 * 1024 * 1024;
/** Records looked at for one page; past it the page is handed out as it is, with `next` to go on from. */
const scannedMax = 250_000;
/** Records read at once for a stream. */
const streamLimit = 512;

export const ndjsonMediaType = "application/x-ndjson";

export interface HistoryRouteOptions {
  readonly log: EventLog;
  readonly requireIdentity: RequireIdentity;
}

interface HistoryQuery {
  readonly since: number;
  readonly until: number;
  /** Undefined = as many as there are; only a stream may have that. */
  readonly limit: number | undefined;
  readonly lost: GapFrame | undefined;
}

function eventText(record: EventRecord): string {
  return `{"type":"event","seq":${record.seq},${record.fields.toString("utf8")}}`;
}

function gapOf(reason: GapFrame["reason"], fromSeq: number, toSeq: number): GapFrame {
  return { type: "gap", reason, from_seq: fromSeq, to_seq: toSeq, dropped: null };
}

function readQuery(query: URLSearchParams, log: EventLog, isStream: boolean): HistoryQuery | Problem {
  const since = readSeq(query, "since") ?? 0;
  const until = readSeq(query, "until") ?? log.head;
  const limit = readSeq(query, "limit") ?? (isStream ? undefined : limitDefault);
  if (typeof since === "object") return since;
  if (typeof until === "object") return until;
  if (typeof limit === "object" || limit === 0 || (!isStream && limit !== undefined && limit > limitMax)) {
    const allowed = isStream ? "at least 1" : `1 to ${limitMax}`;
    return { name: "invalid-parameter", field: "limit", detail: `limit must be an integer of ${allowed}` };
  }
  const plan = planReplay(since, query.get("epoch") ?? undefined, log);
  const lost =
    plan.lost === undefined ? retentionLoss(plan.since, log) : gapOf("epoch", plan.lost.fromSeq, plan.lost.toSeq);
  return { since: plan.since, until: Math.min(until, log.head), limit, lost };
}

function retentionLoss(since: number, log: EventLog): GapFrame | undefined {
  return since + 1 < log.oldest ? gapOf("retention", since + 1, log.oldest - 1) : undefined;
}

async function readPage(log: EventLog, match: EventMatch, query: HistoryQuery): Promise<string> {
  const limit = query.limit ?? limitDefault;
  const records: EventRecord[] = [];
  let after = query.since;
  let bytes = 0;
  while (records.length < limit && after < query.until && bytes < pageBytesMax && after - query.since < scannedMax) {
    const page = await log.read(after, {
      until: query.until,
      match,
      limit: limit - records.length,
      bytesMax: pageBytesMax,
    });
    for (const record of page.records) bytes += record.fields.length;
    records.push(...page.records);
    after = page.scannedTo;
  }
  const next = after < query.until ? after : null;
  const head = JSON.stringify({ epoch: log.epoch, next, ...(query.lost === undefined ? {} : { gap: query.lost }) });
  return `${head.slice(0, -1)},"events":[${records.map(eventText).join(",")}]}`;
}

async function* readLines(log: EventLog, match: EventMatch, query: HistoryQuery): AsyncGenerator<string> {
  if (query.lost !== undefined) yield `${JSON.stringify(query.lost)}\n`;
  let after = query.since;
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  while (left > 0 && after < query.until) {
    const page = await log.read(after, { until: query.until, match, limit: Math.min(streamLimit, left) });
    // Retention may overtake a slow reader: what is missing is told where it is missing.
    if (after + 1 < page.oldest && after > query.since)
      yield `${JSON.stringify(gapOf("retention", after + 1, page.oldest - 1))}\n`;
    if (page.records.length > 0) yield page.records.map((record) => `${eventText(record)}\n`).join("");
    left -= page.records.length;
    after = page.scannedTo;
  }
}

export function registerHistoryRoute(app: FastifyInstance, { log, requireIdentity }: HistoryRouteOptions): void {
  app.get("/api/v1/events", async (request, reply) => {
    const identity = await requireIdentity(request, reply);
    if (identity === undefined) return reply;
    const parameters = new URL(request.url, "http://localhost").searchParams;
    const interest = readInterest(parameters);
    if (isProblem(interest)) return sendProblem(reply, interest);
    const match = matchWithin(identity.rights, interest);
    if (isProblem(match)) return sendProblem(reply, match);
    const isStream = request.headers.accept?.includes(ndjsonMediaType) === true;
    const query = readQuery(parameters, log, isStream);
    if (isProblem(query)) return sendProblem(reply, query);
    void reply.header("cache-control", "no-store");
    if (isStream) {
      const lines = Readable.from(readLines(log, match, query), { objectMode: false, highWaterMark: 0 });
      return reply.type(ndjsonMediaType).send(lines);
    }
    try {
      return await reply.type("application/json").send(await readPage(log, match, query));
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== "LOG_CLOSED") throw error;
      return sendProblem(reply, {
        name: "unavailable",
        detail: "The service is ending",
        headers: { "retry-after": "1" },
      });
    }
  });
}
