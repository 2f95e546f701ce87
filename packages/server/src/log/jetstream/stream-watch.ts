// What a stream's leader says of it every second: how much is kept, from where on, and that it is still the same one.
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "@sluice/runtime";
import { streamInfo, type StreamInfo } from "./open-stream.js";

const intervalMsDefault = 1000;
/** No leader of the stream has answered for this long, ms: it takes no events. An election takes less. */
const leaderlessMsMax = 10_000;

export interface StreamWatchOptions {
  readonly nats: NatsConnection;
  readonly clock: Clock;
  /** The stream as it was found. */
  readonly info: StreamInfo;
  readonly intervalMs?: number | undefined;
  /** The leader has answered. */
  readonly onHeard: () => void;
  /** The stream was deleted and made anew: what was counted on is not there any more. */
  readonly onOther: () => void;
}

/** Watches a stream until it is stopped. */
export class StreamWatch {
  /** Seq of the oldest message when it was last asked, at least 1; one more than the newest when there is none. */
  oldest: number;
  /** Bytes of the messages when it was last asked; whoever sees more come adds them. */
  bytes: number;
  readonly #options: StreamWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #heardAtMs: number;
  #isAsking = false;

  constructor(options: StreamWatchOptions) {
    const { info, clock } = options;
    this.#options = options;
    this.oldest = Math.max(1, info.state.first_seq);
    this.bytes = info.state.bytes;
    this.#heardAtMs = clock.now();
    this.#timer = setInterval(() => void this.#look(), options.intervalMs ?? intervalMsDefault);
    this.#timer.unref();
  }

  /** Nobody has answered for the stream for so long that no election explains it. */
  get isLeaderless(): boolean {
    return this.#options.clock.now() - this.#heardAtMs >= leaderlessMsMax;
  }

  /** The leader has acknowledged something. */
  heard(): void {
    this.#heardAtMs = this.#options.clock.now();
    this.#options.onHeard();
  }

  /** Asks now. Returns the seq of the newest message. @throws where nobody answers */
  async ask(): Promise<number> {
    const { nats, info, onOther } = this.#options;
    const { created, state } = await streamInfo(nats, info.config.name);
    this.heard();
    if (created !== info.created) {
      onOther();
      return 0;
    }
    this.oldest = Math.max(this.oldest, state.first_seq);
    this.bytes = state.bytes;
    return state.last_seq;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      await this.ask();
    } catch {
      // Nobody answers: `isLeaderless` counts the time.
    } finally {
      this.#isAsking = false;
    }
  }
}
