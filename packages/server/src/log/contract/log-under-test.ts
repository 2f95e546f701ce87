// What the log's tests stand on: an engine to open, a clock to turn, drafts to append, all of it to read back.
import type { Clock } from "@sluice/runtime";
import { expect } from "vitest";
import type { EventDraft, EventLog, EventMatch, EventRecord } from "../event-log.js";
import type { LogOptions } from "../log-options.js";

/** Opens an empty log with default options but for those given; it is closed after the test. */
export type OpenLog = (over?: Partial<LogOptions>) => Promise<EventLog>;

/** Where engines may differ; every difference is one of docs/decisions/0004-jetstream-log.md. */
export interface LogTraits {
  /**
   * `ours`: the clock of the options stamps records and ages them. `servers`: the machines that store them do, in real
   * time, and what retention and dedup forget is known a little later.
   */
  readonly time: "ours" | "servers";
  /** Whether a count bounds the ids that are remembered, and a newest commit outlasts every bound of retention. */
  readonly countsIds: boolean;
  readonly keepsNewest: boolean;
}

/** The engines of one machine. */
export const localTraits: LogTraits = { time: "ours", countsIds: true, keepsNewest: true };

/** A clock that moves when told; both of its times start far from zero and from each other. */
export class ManualClock implements Clock {
  #elapsedMs = 0;

  now(): number {
    return 5_000_000 + this.#elapsedMs;
  }

  wall(): number {
    return 1_800_000_000_000 + this.#elapsedMs;
  }

  advance(ms: number): void {
    this.#elapsedMs += ms;
  }
}

/** Options without any bound, but for those given. */
export function logOptionsOf(over: Partial<LogOptions> = {}): LogOptions {
  return {
    clock: new ManualClock(),
    retention: { maxEvents: null, maxAgeMs: null, maxBytes: null },
    dedup: { windowMs: 120_000, maxIds: 200_000 },
    ...over,
  };
}

/** A draft; `n` names it. */
export function draftOf(n: number | string, over: Partial<EventDraft> = {}): EventDraft {
  return {
    eventId: `event-${n}`,
    eventType: "GPU_UPDATE",
    clusterId: "c-1",
    fields: Buffer.from(`"event_id":"event-${n}","payload":{"n":"${n}"}`),
    ...over,
  };
}

/** Several drafts, named `from` to `from + count - 1`. */
export function draftsOf(from: number, count: number, over: Partial<EventDraft> = {}): EventDraft[] {
  return range(from, from + count - 1).map((n) => draftOf(n, over));
}

/** Every record after `after` that matches, page by page. */
export async function readAll(log: EventLog, after = 0, match?: EventMatch, limit = 1000): Promise<EventRecord[]> {
  const records: EventRecord[] = [];
  for (let next = after; next < log.head;) {
    const page = await log.read(next, { limit, ...(match === undefined ? {} : { match }) });
    expect(page.scannedTo, "every page goes on").toBeGreaterThan(next);
    records.push(...page.records.map((record) => plainOf(record)));
    next = page.scannedTo;
  }
  return records;
}

/** A record as a plain object, whatever an engine makes of it. */
export function plainOf({ seq, appendedAtMs, eventId, eventType, clusterId, fields }: EventRecord): EventRecord {
  return { seq, appendedAtMs, eventId, eventType, clusterId, fields };
}

/** Records with their fields as text: buffers are compared byte by byte, which takes seconds for a few MB. */
export function comparable(records: readonly EventRecord[]): unknown[] {
  return records.map((record) => ({ ...plainOf(record), fields: record.fields.toString("latin1") }));
}

/** The seqs of records. */
export function seqsOf(records: readonly EventRecord[]): number[] {
  return records.map((record) => record.seq);
}

/** The integers `from` to `to`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
