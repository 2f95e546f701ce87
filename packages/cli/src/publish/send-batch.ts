// A batch until it is accepted: tried again while the service is away, halved while it is too large.
import { setTimeout as sleep } from "node:timers/promises";
import { ReconnectBackoff } from "../stream/reconnect-backoff.js";
import { batchBody, type EventBatch, halveBatch } from "./event-batch.js";
import type { PostOutcome } from "./post-events.js";

/** How a batch is sent. */
export interface SendBatchOptions {
  readonly post: (body: string) => Promise<PostOutcome>;
  /** How long to go on trying after the first failure, ms. */
  readonly retryForMs: number;
  readonly onRetry: (why: string, retryInMs: number) => void;
  /** Told of every part that was accepted, in order. */
  readonly onAccepted: (accepted: Extract<PostOutcome, { kind: "accepted" }>, batch: EventBatch) => void;
  /** Ends waiting for another try. */
  readonly interrupted: AbortSignal;
  /** Monotonic ms; default: the machine's. */
  readonly now?: () => number;
  readonly backoff?: ReconnectBackoff;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Why a batch was not accepted. */
export type SendFailure =
  /** `status`: HTTP; `line`: which one, where the service said so. */
  | { readonly kind: "refused"; readonly why: string; readonly status: number; readonly line: number | undefined }
  /** The service was away for too long. */
  | { readonly kind: "gave-up"; readonly why: string; readonly mayBeStored: boolean };

/** What became of a batch. */
export type SendOutcome = { readonly kind: "accepted" } | { readonly kind: "interrupted" } | SendFailure;

const waitFor = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/** Sends one batch; the next may be sent when this resolves, so that order is kept. */
export async function sendBatch(batch: EventBatch, options: SendBatchOptions): Promise<SendOutcome> {
  const { post, retryForMs, onRetry, onAccepted, interrupted } = options;
  const { now = () => performance.now(), backoff = new ReconnectBackoff(), wait = waitFor } = options;
  const body = batchBody(batch);
  let failedAt: number | undefined;
  let mayBeStored = false;
  for (;;) {
    const outcome = await post(body);
    switch (outcome.kind) {
      case "accepted":
        onAccepted(outcome, batch);
        return { kind: "accepted" };
      case "too-large": {
        const halves = halveBatch(batch);
        if (halves === undefined) return { kind: "refused", why: outcome.why, status: 413, line: batch.lines[0] };
        const first = await sendBatch(halves[0], options);
        return first.kind === "accepted" ? sendBatch(halves[1], options) : first;
      }
      case "refused": {
        const line = outcome.index === undefined ? undefined : batch.lines[outcome.index];
        return { kind: "refused", why: outcome.why, status: outcome.status, line };
      }
      case "unavailable": {
        const failedNow = now();
        failedAt ??= failedNow;
        mayBeStored ||= outcome.mayBeStored;
        const retryInMs = Math.max(backoff.next(), outcome.retryAfterMs ?? 0);
        if (failedNow - failedAt + retryInMs > retryForMs) {
          return { kind: "gave-up", why: outcome.why, mayBeStored };
        }
        onRetry(outcome.why, retryInMs);
        await wait(retryInMs, interrupted);
        if (interrupted.aborted) return { kind: "interrupted" };
      }
    }
  }
}
