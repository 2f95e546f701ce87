// NDJSON to the service: read, checked, batched and sent in order, one request at a time. The next batch is made while
// one is under way; two requests at once could be committed in either order.
import type { Readable } from "node:stream";
import { BatchQueue } from "./batch-queue.js";
import { readEventText } from "./event-text.js";
import type { PublishCounts } from "./publish-progress.js";
import { LineError, readLines } from "./read-lines.js";
import { sendBatch, type SendBatchOptions, type SendFailure } from "./send-batch.js";

/** What was accepted, however it ended. */
export interface PublishedSoFar {
  readonly events: number;
  readonly duplicates: number;
  /** Of the first and the last request; 0 before any. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** The last line of the input that was accepted; 0 before any. */
  readonly lastLine: number;
  readonly elapsedMs: number;
}

/** How a publish ended. */
export type PublishEnd =
  | { readonly kind: "done" }
  | { readonly kind: "interrupted" }
  | { readonly kind: "bad-line"; readonly line: number; readonly field: string | undefined; readonly problem: string }
  | { readonly kind: "unreadable"; readonly error: unknown }
  | SendFailure;

/** What to publish, and how. */
export interface PublishLinesOptions extends Pick<SendBatchOptions, "post"> {
  readonly input: Readable;
  /** Ends it after the request under way. */
  readonly interrupted: AbortSignal;
  /** Lines before this are passed over. */
  readonly fromLine: number;
  readonly bytesTotal: number | undefined;
  readonly onProgress: (counts: PublishCounts) => void;
  /** Monotonic ms; default: the machine's. */
  readonly now?: () => number;
}

/** Publishes every line of `input`. Never throws for what the input, the network or the service does. */
export async function publishLines(
  options: PublishLinesOptions,
): Promise<{ readonly end: PublishEnd; readonly so: PublishedSoFar }> {
  const { input, fromLine, bytesTotal, onProgress, interrupted, now = () => performance.now() } = options;
  const startedAt = now();
  const queue = new BatchQueue();
  const so = { events: 0, duplicates: 0, firstSeq: 0, lastSeq: 0, lastLine: 0, bytes: 0 };

  const onInterrupt = (): void => {
    input.destroy();
    queue.end();
  };
  interrupted.addEventListener("abort", onInterrupt, { once: true });
  if (interrupted.aborted) onInterrupt();

  const reading = fill(queue, input, fromLine, (bytes) => (so.bytes += bytes)).finally(() => queue.end());
  const sending = drain();
  const [readEnd, sendEnd] = await Promise.all([reading, sending]);
  interrupted.removeEventListener("abort", onInterrupt);
  const { bytes: _, ...counts } = so;
  return { end: sendEnd ?? (interrupted.aborted ? interruptedEnd : readEnd), so: { ...counts, elapsedMs: elapsed() } };

  async function drain(): Promise<PublishEnd | undefined> {
    for (let batch = await queue.take(); batch !== undefined; batch = await queue.take()) {
      if (interrupted.aborted) return interruptedEnd;
      const outcome = await sendBatch(batch, {
        ...options,
        onAccepted: ({ accepted, duplicates, firstSeq, lastSeq }, { lines }) => {
          if (so.events === 0) so.firstSeq = firstSeq;
          so.lastSeq = lastSeq;
          so.events += accepted;
          so.duplicates += duplicates;
          so.lastLine = lines.at(-1) ?? so.lastLine;
          onProgress({ events: so.events, elapsedMs: elapsed(), bytes: so.bytes, bytesTotal });
        },
      });
      if (outcome.kind === "accepted") continue;
      onInterrupt();
      return outcome.kind === "interrupted" ? interruptedEnd : outcome;
    }
    return undefined;
  }

  function elapsed(): number {
    return now() - startedAt;
  }
}

const interruptedEnd: PublishEnd = { kind: "interrupted" };

async function fill(
  queue: BatchQueue,
  input: Readable,
  fromLine: number,
  onBytes: (bytes: number) => void,
): Promise<PublishEnd> {
  try {
    for await (const lines of readLines(input as AsyncIterable<Uint8Array>, onBytes)) {
      for (const { number, text } of lines) {
        if (number < fromLine) continue;
        const event = readEventText(text);
        if (!event.ok) return { kind: "bad-line", line: number, field: event.field, problem: event.problem };
        queue.add(event.json, number);
      }
      await queue.flush();
    }
    return { kind: "done" };
  } catch (error) {
    if (error instanceof LineError) {
      return { kind: "bad-line", line: error.line, field: undefined, problem: error.message };
    }
    return { kind: "unreadable", error };
  }
}
