// A batch until it is accepted: the client tries again while the service is away; it is halved while it is too large.
import { type EventBatch, halveBatch } from "./event-batch.js";
import type { PostOutcome } from "./post-outcome.js";

/** How a batch is sent. */
export interface SendBatchOptions {
  /** Resolves when the service has taken these events' texts, or when there is no point in going on. */
  readonly post: (texts: readonly string[]) => Promise<PostOutcome>;
  /** Told of every part that was accepted, in order. */
  readonly onAccepted: (accepted: Extract<PostOutcome, { kind: "accepted" }>, batch: EventBatch) => void;
}

/** Why a batch was not accepted. */
export type SendFailure =
  /** `status`: HTTP; `line`: which one, where the service said so. */
  | { readonly kind: "refused"; readonly why: string; readonly status: number; readonly line: number | undefined }
  /** The service was away for too long. */
  | { readonly kind: "gave-up"; readonly why: string; readonly mayBeStored: boolean };

/** What became of a batch. */
export type SendOutcome = { readonly kind: "accepted" } | { readonly kind: "interrupted" } | SendFailure;

/** Sends one batch; the next may be sent when this resolves, so that order is kept. */
export async function sendBatch(batch: EventBatch, options: SendBatchOptions): Promise<SendOutcome> {
  const outcome = await options.post(batch.texts);
  switch (outcome.kind) {
    case "accepted":
      options.onAccepted(outcome, batch);
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
    case "unavailable":
      return { kind: "gave-up", why: outcome.why, mayBeStored: outcome.mayBeStored };
    case "interrupted":
      return outcome;
  }
}
