// What one commit stores for a group of appends, and what each of them is told.
import type { PendingAppend } from "./append-queue.js";
import type { DedupWindow } from "./dedup-window.js";
import type { AppendResult, EventDraft, EventRecord } from "./event-log.js";
import { TurnBudget } from "./turn-budget.js";

/** Drafts planned, or ids remembered, in one turn of the event loop: about 5 ms with a window of 200,000 ids. */
const draftsPerTurn = 2048;
const draftsPerStep = 256;

/** A group of appends with duplicates found and seqs given. The head is not changed. */
export class CommitPlan {
  /** What is to be stored, in order, the first right after the head. */
  readonly records: EventRecord[] = [];
  readonly #dedup: DedupWindow;
  readonly #head: number;
  readonly #appendedAtMs: number;
  readonly #fresh = new Map<string, number>();
  readonly #results: { readonly append: PendingAppend; readonly result: AppendResult }[] = [];

  private constructor(dedup: DedupWindow, head: number, appendedAtMs: number) {
    this.#dedup = dedup;
    this.#head = head;
    this.#appendedAtMs = appendedAtMs;
  }

  /**
   * Plans a group, over several turns of the event loop where it is large.
   *
   * @param dedup expired up to now, and left alone until this resolves
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

  /** Lets the dedup window know the ids of the records, as of `nowMs`, over several turns where they are many. */
  async remember(nowMs: number): Promise<void> {
    const ids = [...this.#fresh.keys()];
    const budget = new TurnBudget(draftsPerTurn);
    for (let start = 0; start < ids.length; start += draftsPerStep) {
      const step = ids.slice(start, start + draftsPerStep);
      this.#dedup.add(step, this.#head + 1 + start, nowMs);
      await budget.spend(step.length);
    }
  }

  async #add(drafts: readonly EventDraft[], budget: TurnBudget): Promise<AppendResult> {
    let firstSeq = Number.MAX_SAFE_INTEGER;
    let lastSeq = 0;
    let duplicates = 0;
    for (let start = 0; start < drafts.length; start += draftsPerStep) {
      const step = drafts.slice(start, start + draftsPerStep);
      for (const draft of step) {
        const recordsBefore = this.records.length;
        const seq = this.#seqFor(draft);
        if (this.records.length === recordsBefore) duplicates += 1;
        firstSeq = Math.min(firstSeq, seq);
        lastSeq = Math.max(lastSeq, seq);
      }
      await budget.spend(step.length);
    }
    return { firstSeq, lastSeq, duplicates };
  }

  /** The seq of the first copy of a draft, which may be this one. */
  #seqFor({ eventId, eventType, clusterId, fields }: EventDraft): number {
    const known = this.#dedup.seqOf(eventId) ?? this.#fresh.get(eventId);
    if (known !== undefined) return known;
    const seq = this.#head + this.records.length + 1;
    this.records.push({ seq, appendedAtMs: this.#appendedAtMs, eventId, eventType, clusterId, fields });
    this.#fresh.set(eventId, seq);
    return seq;
  }
}
