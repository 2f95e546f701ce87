// The publisher inside every server under measurement: the same events at the same times, whoever delivers them.

import type { RateRequest, SourceOptions } from "./server-report.js";

/** An event as it is published. */
export interface BenchEvent {
  readonly event_type: string;
  readonly cluster_id: string;
  readonly payload: { readonly sent_at: number; readonly gpu: string; readonly note: string };
}

/** What an event of the smallest size takes on the wire without its note. */
const eventBytesMin = 210;
const noteBytesMin = 10;
const saturatedBatchDefault = 64;
/** A source that fell behind by more than this has lost its server's turn for good: the rate can't be held, ms. */
const lateMsMax = 2000;
/** Events that come closer to each other than this aren't waited for by timers, which come once a ms at most. */
const turningBelowMs = 2;

export interface EventSourceOptions {
  readonly source: SourceOptions;
  /** Publishes all of the events; a promise resolves when the server takes more. */
  readonly publish: (events: readonly BenchEvent[]) => Promise<unknown> | undefined;
  /** Events of one publish when saturated and nobody says otherwise; default 64. */
  readonly saturatedBatch?: number;
  /** Publishes under way at once when saturated; default 1. */
  readonly publishesAtOnce?: number;
  /** Whether some subscriber's buffer is so full that a saturated source waits; default never. */
  readonly isFull?: () => boolean;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Wall-clock ms with fractions, the same in every process of the machine. */
function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

export class EventSource {
  published = 0;
  /** Of each publish at a rate since the last `takeServedMs`: from when it was due until `publish` had resolved. */
  #servedMs: number[] = [];
  readonly #options: EventSourceOptions;
  readonly #note: string;
  readonly #clusters: number;
  readonly #types: number;
  #perSecond: number | null;
  #made = 0;
  /** Counts starts, so that what an earlier one left running ends. */
  #run = 0;

  constructor(options: EventSourceOptions) {
    this.#options = options;
    const { perSecond, clusters = 1, types = 1, eventBytes = 0 } = options.source;
    this.#perSecond = perSecond;
    this.#clusters = clusters;
    this.#types = types;
    this.#note = noteOf(Math.max(noteBytesMin, eventBytes - eventBytesMin));
  }

  /** Obeys a parent's message; false when it isn't for a source. */
  obey(message: unknown): boolean {
    if (message === "start") this.#start();
    else if (message === "stop") this.#run += 1;
    else if (typeof message === "object" && message !== null && "perSecond" in message) {
      this.#perSecond = (message as RateRequest).perSecond;
      this.#start();
    } else return false;
    return true;
  }

  #start(): void {
    this.#run += 1;
    const { publishesAtOnce = 1 } = this.#options;
    if (this.#perSecond !== null) void this.#atRate(this.#run, this.#perSecond);
    else for (let index = 0; index < publishesAtOnce; index += 1) void this.#saturate(this.#run);
  }

  /** The next events, as they would be published at the time, wall-clock ms. */
  events(count: number, sentAt = preciseNow()): BenchEvent[] {
    const events: BenchEvent[] = [];
    for (let index = 0; index < count; index += 1) {
      const number = this.#made;
      this.#made += 1;
      events.push({
        event_type: `GPU_${number % this.#types}`,
        cluster_id: `c-${number % this.#clusters}`,
        payload: { sent_at: Math.round(sentAt * 1000) / 1000, gpu: "gpu-0", note: this.#note },
      });
    }
    return events;
  }

  async #saturate(run: number): Promise<void> {
    const { publish, isFull, source, saturatedBatch = saturatedBatchDefault } = this.#options;
    const batch = source.batch ?? saturatedBatch;
    while (this.#run === run) {
      if (isFull?.() !== true) {
        await publish(this.events(batch, preciseNow()));
        this.published += batch;
      }
      await nextTurn();
    }
  }

  async #publishDue(batch: number, dueAt: number): Promise<void> {
    await this.#options.publish(this.events(batch, dueAt));
    this.#servedMs.push(preciseNow() - dueAt);
  }

  /** How long each publish took since this was asked last, ms; none when saturated. */
  takeServedMs(): readonly number[] {
    const taken = this.#servedMs;
    this.#servedMs = [];
    return taken;
  }

  /** Events are stamped with the time at which they were due: what a busy server delays counts as latency. */
  async #atRate(run: number, perSecond: number): Promise<void> {
    const { batch = 1 } = this.#options.source;
    const periodMs = (1000 * batch) / perSecond;
    let dueAt = preciseNow();
    while (this.#run === run) {
      const now = preciseNow();
      if (now - dueAt > lateMsMax) dueAt = now;
      for (; dueAt <= now; dueAt += periodMs) {
        void this.#publishDue(batch, dueAt);
        this.published += batch;
      }
      const waitMs = dueAt - preciseNow();
      // Turning until the very moment would be up to 1 ms of CPU an event, which a delivery would seem to cost.
      if (periodMs < turningBelowMs) await nextTurn();
      else await new Promise((resolve) => setTimeout(resolve, Math.ceil(waitMs)));
    }
  }
}

const words = ["temperature", "utilisation", "memory", "power", "fan", "clock", "node", "gpu", "error", "throttled"];

/** Text that compresses about as metrics and log lines do: words and numbers. */
function noteOf(bytes: number): string {
  let note = "";
  for (let number = 7; note.length < bytes; number = (number * 16_807) % 2_147_483_647) {
    note += `${words[number % words.length]} ${number % 100_000} `;
  }
  return note.slice(0, bytes);
}

let seq = 0;

/** The event as a server without a log would send it: the same members as Sluice's, so the same size. */
export function envelope(event: BenchEvent): string {
  seq += 1;
  const { event_type, cluster_id, payload } = event;
  const timestamp = new Date().toISOString();
  return JSON.stringify({
    type: "event",
    seq,
    event_id: crypto.randomUUID(),
    event_type,
    cluster_id,
    timestamp,
    payload,
  });
}
