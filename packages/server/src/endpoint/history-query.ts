// What a request for history asks for (protocol §8).

import type { GapFrame } from "@sluice/protocol";
import type { Problem } from "@sluice/runtime";
import type { EventLog } from "../log/event-log.js";
import { planReplay } from "../session/plan-replay.js";
import { readSeq } from "./read-interest.js";

/** Events of a page without `limit`, and the most that can be asked for. */
export const historyLimitDefault = 100;
const limitMax = 1000;

export interface HistoryQuery {
  /** Events after this one, */
  readonly since: number;
  /** up to and including this one, at most the head when it was asked. */
  readonly until: number;
  /** Undefined = as many as there are; only a stream may have that. */
  readonly limit: number | undefined;
  /** What is known to be gone because the position was of another log. */
  readonly lost: GapFrame | undefined;
}

/** Events of history that are missing, up to `toSeq` or to what was asked for. */
export function historyGap(reason: GapFrame["reason"], fromSeq: number, toSeq: number): GapFrame {
  return { type: "gap", reason, from_seq: fromSeq, to_seq: toSeq, dropped: null };
}

/** Reads `since`, `epoch`, `until` and `limit`; a stream's limit is not bounded. */
export function readHistoryQuery(query: URLSearchParams, log: EventLog, isStream: boolean): HistoryQuery | Problem {
  const since = readSeq(query, "since") ?? 0;
  const until = readSeq(query, "until") ?? log.head;
  const limit = readSeq(query, "limit") ?? (isStream ? undefined : historyLimitDefault);
  if (typeof since === "object") return since;
  if (typeof until === "object") return until;
  if (typeof limit === "object" || limit === 0 || (!isStream && limit !== undefined && limit > limitMax)) {
    const allowed = isStream ? "at least 1" : `1 to ${limitMax}`;
    return { name: "invalid-parameter", field: "limit", detail: `limit must be an integer of ${allowed}` };
  }
  const plan = planReplay(since, query.get("epoch") ?? undefined, log);
  const lost = plan.lost === undefined ? undefined : historyGap("epoch", plan.lost.fromSeq, plan.lost.toSeq);
  return { since: plan.since, until: Math.min(until, log.head), limit, lost };
}
