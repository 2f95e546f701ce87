// What the process that writes the log tells its workers at each commit.

import type { EventDraft, EventRecord, LogStats } from "../log/event-log.js";

export interface LogNews {
  readonly stats: LogStats;
  /** What was committed, where it is little; else none, and it is read from the log. */
  readonly newest: readonly EventRecord[];
}

/**
 * Most bytes and records of a commit that travel in the message: to read as much from the map costs a worker several
 * wakings' worth of calls into LMDB, and a timer that wakes it once more.
 */
const newestBytesMax = 16 * 1024;
const newestMax = 64;

/** The news of a commit. */
export function newsOf(stats: LogStats, committed: readonly EventRecord[]): LogNews {
  if (committed.length > newestMax) return { stats, newest: [] };
  const newest: EventRecord[] = [];
  let bytes = 0;
  for (const record of committed) {
    const { seq, appendedAtMs } = record;
    const draft = plainDraft(record);
    bytes += draft.fields.length;
    if (bytes > newestBytesMax) return { stats, newest: [] };
    newest.push({ seq, appendedAtMs, ...draft });
  }
  return { stats, newest };
}

/** The records of news that came from another process, none of which keeps the bytes alive that it came in. */
export function ownRecords({ newest }: LogNews): EventRecord[] {
  return newest.map((record) => {
    const fields = Buffer.allocUnsafeSlow(record.fields.length);
    record.fields.copy(fields);
    return { ...record, fields };
  });
}

/** A draft as it travels between processes, which take no getters over. */
export function plainDraft({ eventId, eventType, clusterId, fields }: EventDraft): EventDraft {
  return { eventId, eventType, clusterId, fields };
}
