// Makes notices for people of what the client tells: frames and states in, each notice once. Pure.
import type { Status } from "@sluice/client";
import type { ServerFrame } from "@sluice/protocol";
import { describeLoss } from "./describe-loss.js";
import type { StreamNotice } from "./stream-notice.js";

export class StreamNotices {
  readonly #tell: (notice: StreamNotice) => void;
  #userId = "";
  #epoch: string | undefined;
  /** On this connection it was told that we are subscribed. */
  #isSubscribed = false;
  /** A replay was told of, and its end was not. */
  #isCatchingUp = false;
  #state: Status["state"] | undefined;

  /** `epoch`: the log of the position that the stream begins at, where it is known. */
  constructor(tell: (notice: StreamNotice) => void, epoch: string | undefined) {
    this.#tell = tell;
    this.#epoch = epoch;
  }

  /** Takes a frame; `position` is what has been handled before it, undefined before the first subscription. */
  frame(frame: ServerFrame, position: number | undefined): void {
    switch (frame.type) {
      case "connected":
        if (this.#epoch !== undefined && this.#epoch !== frame.epoch) this.#tell({ kind: "other-log" });
        this.#epoch = frame.epoch;
        this.#userId = frame.user_id;
        this.#isSubscribed = false;
        return;
      case "subscribed":
        if (this.#isSubscribed) return;
        this.#isSubscribed = true;
        this.#isCatchingUp = position !== undefined;
        this.#tell({ kind: "subscribed", userId: this.#userId, resumedAfter: position, seq: frame.seq });
        return;
      case "lag":
        this.#tell({ kind: "lag", lag: frame });
        return;
      case "disconnect":
        this.#tell({ kind: "draining", frame });
        return;
      case "token_expiring":
        this.#tell({ kind: "token-expiring", expiresAt: frame.expires_at });
        return;
      case "refreshed":
        this.#tell({ kind: "token-refreshed", expiresAt: frame.expires_at });
        return;
      case "unsubscribed":
        if (frame.reason === undefined) return;
        this.#tell({ kind: "unsubscribed", events: frame.events, clusters: frame.clusters ?? [] });
        return;
      case "error":
        // The refusal of a subscription ends the stream, with its words.
        if (frame.id === undefined || frame.id === "refresh") this.#tell({ kind: "server-error", ...frame });
        return;
      case "gap":
      case "live":
      case "ping":
      case "pong":
        return;
    }
  }

  /** Takes a state of the client; `position` as in `frame`. */
  status(status: Status, position: number | undefined, wallMs: number): void {
    if (status.state === this.#state && status.state !== "reconnecting") return;
    this.#state = status.state;
    if (status.state === "reconnecting") {
      this.#tell({ kind: "lost", why: describeLoss(status), retryInMs: Math.max(0, status.at.getTime() - wallMs) });
    } else if (status.state === "live" && this.#isCatchingUp) {
      this.#isCatchingUp = false;
      this.#tell({ kind: "live", seq: position ?? 0 });
    }
  }
}
