// Records that are objects already, for those who take them where they lie.
import type { LogPage, PageBounds, TakeRecord } from "./event-log.js";

/** Hands over the records of a page; returns how far it goes. */
export function takePage({ records, ...bounds }: LogPage, take: TakeRecord): PageBounds {
  for (const { seq, eventType, clusterId, fields } of records)
    take(seq, eventType, clusterId, fields, 0, fields.length);
  return bounds;
}
