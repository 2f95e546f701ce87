// Where a replay begins (protocol §3), and what of it is known to be gone.

import type { Gap } from "../delivery/message-buffer.js";
import type { EventLog } from "../log/event-log.js";

export interface ReplayPlan {
  /** Everything retained after this seq is replayed. */
  readonly since: number;
  /** Stands in the stream before the replay. */
  readonly lost: Gap | undefined;
}

/**
 * A position is good only in the log it was taken from: one from another log, or beyond this one's head, is answered
 * with a gap of unknown size and everything that is retained. `since` 0 is "all that is retained" and misses nothing.
 * What retention took after `since` is found and told by the replay itself.
 */
export function planReplay(
  since: number,
  epoch: string | undefined,
  log: Pick<EventLog, "epoch" | "head" | "oldest">,
): ReplayPlan {
  const start = Math.max(0, log.oldest - 1);
  if ((epoch !== undefined && epoch !== log.epoch) || since > log.head) {
    return { since: start, lost: { reason: "epoch", fromSeq: 0, toSeq: start, dropped: null } };
  }
  return { since: since === 0 ? start : since, lost: undefined };
}
