// What damage on the disk took of the log, taken from what waits for a connection.
import type { SeqRange } from "../log/event-log.js";
import type { LaneView, MessageBuffer } from "./message-buffer.js";

/** A gap takes the place of those seqs, where they are what is next; a buffer that has moved on is left as it is. */
export function loseDamaged(buffer: MessageBuffer, lane: LaneView | undefined, { first, last }: SeqRange): void {
  const step = buffer.next(lane);
  if (step.kind === "event" && step.seq >= first && step.seq <= last) buffer.loseEvents(lane, last);
  else if (step.kind === "range" && step.range.after + 1 >= first && step.range.after < last) buffer.loseRange(last);
}
