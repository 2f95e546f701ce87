// What happened to a stream, in words for stderr.
import type { GapFrame, LagFrame } from "@sluice/protocol";
import { formatDuration } from "../arguments/duration.js";
import type { StreamNotice } from "./stream-notice.js";
import type { Paint } from "../terminal/paint.js";
import { visibleText } from "../terminal/visible-text.js";

/** One line, without an end; `address` is the service's. */
export function noticeText(notice: StreamNotice, address: string, paint: Paint): string {
  switch (notice.kind) {
    case "subscribed": {
      const who = `connected to ${address} as ${visibleText(notice.userId)}`;
      return paint.dim(
        notice.resumedAfter === undefined
          ? `${who}; live from seq ${notice.seq + 1}`
          : `${who}; everything after seq ${notice.resumedAfter} first`,
      );
    }
    case "live":
      return paint.dim(`caught up at seq ${notice.seq}; live from here`);
    case "other-log":
      return paint.warn("the service has another log than before; positions begin anew");
    case "gap":
      return paint.bad(gapText(notice.gap));
    case "lag":
      return paint.warn(lagText(notice.lag));
    case "draining":
      return paint.warn(
        `the service is shutting down and asks to come back in ${formatDuration(notice.frame.reconnect_after_ms)}`,
      );
    case "token-expiring":
      return paint.warn(`the token expires at ${visibleText(notice.expiresAt)}`);
    case "token-refreshed":
      return paint.dim(`the renewed token is in force until ${visibleText(notice.expiresAt)}`);
    case "unsubscribed": {
      const where = notice.clusters.length === 0 ? "" : ` in ${notice.clusters.join(", ")}`;
      return paint.warn(`the token no longer allows ${visibleText(notice.events.join(", ") + where)}`);
    }
    case "server-error":
      return paint.warn(`the service says: ${visibleText(notice.message)} (${visibleText(notice.code)})`);
    case "lost":
      return paint.warn(`${address}: ${visibleText(notice.why)}; next attempt in ${formatDuration(notice.retryInMs)}`);
  }
}

const reasons: Readonly<Record<GapFrame["reason"], string>> = {
  overflow: "this reader was too slow",
  retention: "no longer retained",
  epoch: "the position is from another log",
};

function gapText({ reason, from_seq, to_seq, dropped }: GapFrame): string {
  const what = dropped === null ? "events are" : dropped === 1 ? "1 event is" : `${dropped} events are`;
  const where = to_seq > 0 ? ` between seq ${from_seq} and ${to_seq}` : "";
  return `gap: ${what} missing${where}: ${reasons[reason] ?? visibleText(reason)}`;
}

function lagText({ state, pending, lag_ms }: LagFrame): string {
  const behind = `${pending} ${pending === 1 ? "event waits" : "events wait"}, ${formatDuration(lag_ms)} behind`;
  switch (state) {
    case "paused":
      return `this reader has fallen behind (${behind}); the service feeds it at its own speed`;
    case "resumed":
      return `this reader has caught up (${behind})`;
    case "stalled":
      return `this reader takes nothing (${behind})`;
  }
}
