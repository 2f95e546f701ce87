// How far a publish has come, on one line that is written over.
import { formatDuration } from "../arguments/duration.js";
import type { OutputStream } from "../terminal/terminal.js";

/** Where a publish stands. */
export interface PublishCounts {
  readonly events: number;
  readonly elapsedMs: number;
  /** Bytes of the input taken in, and all of them where that is known. */
  readonly bytes: number;
  readonly bytesTotal: number | undefined;
}

/** Least time between two updates, ms. */
const updateMs = 200;
const clearLine = "\r\u001b[K";

/** `12,000 events  71,000/s  34 %  3 s left`. */
export function progressText({ events, elapsedMs, bytes, bytesTotal }: PublishCounts): string {
  const parts = [`${number(events)} events`, `${number(rate(events, elapsedMs))}/s`];
  if (bytesTotal !== undefined && bytesTotal > 0) {
    const share = Math.min(1, bytes / bytesTotal);
    parts.push(`${Math.floor(share * 100)} %`);
    if (share > 0 && share < 1) parts.push(`${formatDuration((elapsedMs / share) * (1 - share))} left`);
  }
  return parts.join("  ");
}

/** Events a second, whole. */
export function rate(events: number, elapsedMs: number): number {
  return Math.round((events * 1_000) / Math.max(1, elapsedMs));
}

/** With separators of thousands. */
export function number(value: number): string {
  return value.toLocaleString("en-US");
}

/** Writes progress; on a terminal over itself, elsewhere a line at a time. */
export class ProgressLine {
  readonly #stream: OutputStream;
  readonly #isOverwriting: boolean;
  #shownAt = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(stream: OutputStream) {
    this.#stream = stream;
    this.#isOverwriting = stream.isTTY === true;
  }

  /** Shows `counts` unless the last was shown just now. */
  update(counts: PublishCounts): void {
    if (counts.elapsedMs - this.#shownAt < (this.#isOverwriting ? updateMs : 5 * updateMs)) return;
    this.#shownAt = counts.elapsedMs;
    this.#isShown = true;
    this.#stream.write(this.#isOverwriting ? clearLine + progressText(counts) : `${progressText(counts)}\n`);
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (this.#isShown && this.#isOverwriting) this.#stream.write(clearLine);
    this.#isShown = false;
  }
}
