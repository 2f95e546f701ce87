// What one commit stores for a group of appends, and what each of them is told.
import type { PendingAppend } from "./append-queue.js";
import type { DedupWindow } from "./dedup-window.js";
import type { AppendResult } from "./event-log.js";
import { PackedRecord, type PackedEvent } from "./packed-event.js";
import { TurnBudget } from "./turn-budget.js";

/** Drafts planned in one turn of the event loop: about 2 ms. */
const draftsPerTurn = 4096;
const draftsPerStep = 256;

/** A group of appends with duplicates found and seqs given, which the dedup window has as claims. The head is not changed. */
export class CommitPlan {
  /** What is to be stored, in order, the first right after the head. */
  readonly records: PackedRecord[] = [];
  readonly #dedup: DedupWindow;
  readonly #head: number;
  readonly #appendedAtMs: number;
  readonly #results: { readonly append: PendingAppend; readonly result: AppendResult }[] = [];

  private constructor(dedup: DedupWindow, head: number, appendedAtMs: number) {
    this.#dedup = dedup;
    this.#head = head;
    this.#appendedAtMs = appendedAtMs;
  }

  /**
   * Plans a group, over several turns of the event loop where it is large.
   *
   * @param dedup expired up to now, and left alone until the plan is resolved or rejected
   * @param head seq of the newest durable record
   * @param appendedAtMs wall clock for all records
   */
  static async make(
    group: readonly PendingAppend[],
    dedup: DedupWindow,
    head: number,
    appendedAtMs: number,
  ): Promise<CommitPlan> {
    const plan = new CommitPlan(dedup, head, appendedAtMs);
    const budget = new TurnBudget(draftsPerTurn);
    for (const append of group) plan.#results.push({ append, result: await plan.#add(append.drafts, budget) });
    return plan;
  }

  /** Tells each append its result; for when the records are durable, as of `nowMs`. */
  resolve(nowMs: number): void {
    this.#dedup.keep(nowMs);
    for (const { append, result } of this.#results) append.resolve(result);
  }

  /** Tells each append the error, except those whose events all were durable before: theirs stand. */
  reject(error: Error): void {
    this.#dedup.drop();
    for (const { append, result } of this.#results) {
      if (result.lastSeq <= this.#head) append.resolve(result);
      else append.reject(error);
    }
  }

  async #add(drafts: readonly PackedEvent[], budget: TurnBudget): Promise<AppendResult> {
    let firstSeq = Number.MAX_SAFE_INTEGER;
    let lastSeq = 0;
    const recordsBefore = this.records.length;
    for (let start = 0; start < drafts.length; start += draftsPerStep) {
      const end = Math.min(drafts.length, start + draftsPerStep);
      for (let at = start; at < end; at += 1) {
        const seq = this.#seqFor(drafts[at] as PackedEvent);
        if (seq < firstSeq) firstSeq = seq;
        if (seq > lastSeq) lastSeq = seq;
      }
      await budget.spend(end - start);
    }
    return { firstSeq, lastSeq, duplicates: drafts.length - (this.records.length - recordsBefore) };
  }

  /** The seq of the first copy of a draft, which may be this one. */
  #seqFor(draft: PackedEvent): number {
    const seq = this.#head + this.records.length + 1;
    const known = this.#dedup.claim(draft.bytes, draft.idStart, draft.fieldsStart, seq);
    if (known !== undefined) return known;
    this.records.push(new PackedRecord(seq, this.#appendedAtMs, draft));
    return seq;
  }
}
