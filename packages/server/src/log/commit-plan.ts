// What one commit stores for a group of appends, and what each of them is told; pure.
import type { PendingAppend } from "./append-queue.js";
import type { DedupWindow } from "./dedup-window.js";
import type { AppendResult, EventRecord } from "./event-log.js";

/** A group of appends with duplicates found and seqs given. Neither the window nor the head is changed. */
export class CommitPlan {
  /** What is to be stored, in order, the first right after the head. */
  readonly records: EventRecord[] = [];
  readonly #head: number;
  readonly #fresh = new Map<string, number>();
  readonly #results: { readonly append: PendingAppend; readonly result: AppendResult }[];

  /**
   * @param dedup expired up to now
   * @param head seq of the newest durable record
   * @param appendedAtMs wall clock for all records
   */
  constructor(group: readonly PendingAppend[], dedup: DedupWindow, head: number, appendedAtMs: number) {
    this.#head = head;
    this.#results = group.map((append) => ({ append, result: this.#plan(append, dedup, appendedAtMs) }));
  }

  /** Ids of the records, in order. */
  get freshIds(): string[] {
    return [...this.#fresh.keys()];
  }

  /** Seqs of the records, in order. */
  get freshSeqs(): number[] {
    return [...this.#fresh.values()];
  }

  /** Tells each append its result; for when the records are durable. */
  resolve(): void {
    for (const { append, result } of this.#results) append.resolve(result);
  }

  /** Tells each append the error, except those whose events all were durable before: theirs stand. */
  reject(error: Error): void {
    for (const { append, result } of this.#results) {
      if (result.lastSeq <= this.#head) append.resolve(result);
      else append.reject(error);
    }
  }

  #plan(append: PendingAppend, dedup: DedupWindow, appendedAtMs: number): AppendResult {
    let firstSeq = Number.MAX_SAFE_INTEGER;
    let lastSeq = 0;
    let duplicates = 0;
    for (const draft of append.drafts) {
      const { eventId, eventType, clusterId, fields } = draft;
      let seq = dedup.seqOf(eventId) ?? this.#fresh.get(eventId);
      if (seq === undefined) {
        seq = this.#head + this.records.length + 1;
        this.records.push({ seq, appendedAtMs, eventId, eventType, clusterId, fields });
        this.#fresh.set(eventId, seq);
      } else {
        duplicates += 1;
      }
      firstSeq = Math.min(firstSeq, seq);
      lastSeq = Math.max(lastSeq, seq);
    }
    return { firstSeq, lastSeq, duplicates };
  }
}
