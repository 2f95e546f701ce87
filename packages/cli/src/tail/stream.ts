// A stream as `sluice tail` follows it: one subscription of the client.
import { type Cursor, type Gap, type Sluice, type SluiceEvent, SluiceError, type Subscription } from "@sluice/client";
import type { Policy } from "@sluice/protocol";
import type { TokenSource } from "../arguments/token-source.js";
import { openClient } from "../connection/open-client.js";
import { describeLoss } from "./describe-loss.js";
import type { StreamEnd, StreamNotice } from "./stream-notice.js";
import { StreamNotices } from "./stream-notices.js";

/** What to follow, and who is told. */
export interface StreamOptions {
  /** The service's base address. */
  readonly address: URL;
  readonly token: TokenSource;
  readonly events: readonly string[];
  readonly clusters: readonly string[];
  readonly policy?: Policy | undefined;
  readonly maxMessages?: number | undefined;
  /** Where to begin; live when absent. */
  readonly start?: Cursor | undefined;
  /** How long to go on trying to reach the service before giving up, ms; for ever when absent. */
  readonly retryForMs?: number | undefined;
  /** Each event, in order; the next one waits for the promise. */
  readonly onEvent: (event: SluiceEvent) => Promise<void> | undefined;
  readonly onNotice: (notice: StreamNotice) => void;
}

export class Stream {
  readonly #options: StreamOptions;
  readonly #notices: StreamNotices;
  #sluice: Sluice | undefined;
  #subscription: Subscription<SluiceEvent | Gap> | undefined;
  #isStopped = false;
  /** Set where something other than the server ends the stream. */
  #end: StreamEnd | undefined;
  #failure: Error | undefined;
  /** Words of the last loss, and since when there has been no subscription, monotonic ms. */
  #why = "";
  #lostAt: number | undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#notices = new StreamNotices(options.onNotice, options.start?.epoch);
  }

  /** Follows until `stop()`, or until there is no point in going on. @throws {CliError} where the token can't be read. */
  async run(): Promise<StreamEnd> {
    const { address, token, policy, maxMessages } = this.#options;
    const sluice = await openClient({
      address,
      token,
      policy: policy ?? null,
      ...(maxMessages === undefined ? {} : { maxMessages }),
      onFrame: (frame) => {
        if (frame.type === "subscribed") this.#lostAt = undefined;
        this.#notices.frame(frame, this.#position);
      },
      onRefused: () => (this.#end = { kind: "no-permission", why: this.#why }),
      onUnreadable: (error) => this.#unreadable(error),
    });
    this.#sluice = sluice;
    if (this.#isStopped) sluice.close();
    const stopTelling = sluice.onStatus((status) => {
      if (status.state === "reconnecting") this.#why = describeLoss(status);
      if (status.state !== "reconnecting" || !this.#givesUp(status.at)) {
        this.#notices.status(status, this.#position, Date.now());
      }
    });
    const error = await this.#follow(sluice);
    stopTelling();
    sluice.close();
    if (this.#failure !== undefined) throw this.#failure;
    return this.#end ?? this.#judge(sluice, error);
  }

  /** Ends the stream; no event is handed on after it. */
  stop(): void {
    this.#isStopped = true;
    this.#sluice?.close();
  }

  get #position(): number | undefined {
    return (this.#subscription?.cursor ?? this.#options.start)?.seq;
  }

  /** @returns what the subscription ended with; undefined where we ended it. */
  async #follow(sluice: Sluice): Promise<unknown> {
    const { events, clusters, start, onEvent, onNotice } = this.#options;
    if (this.#isStopped) return undefined;
    const since = start === undefined ? {} : { since: start };
    this.#subscription = sluice.subscribe({ events, clusters, ...since }, (item) => {
      if (item.type === "event") return onEvent(item);
      // What the token lost is told when the server says so.
      if (item.reason !== "forbidden") onNotice({ kind: "gap", gap: item });
      return undefined;
    });
    return this.#subscription.finished?.then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  #givesUp(nextAt: Date): boolean {
    const { retryForMs } = this.#options;
    const now = performance.now();
    this.#lostAt ??= now;
    if (retryForMs === undefined || now - this.#lostAt + (nextAt.getTime() - Date.now()) <= retryForMs) return false;
    this.#end = { kind: "gave-up", why: this.#why };
    this.#sluice?.close();
    return true;
  }

  /** Between connections it is the end, as at the start; on a living one the old token still holds for a while. */
  #unreadable(error: unknown): void {
    const state = this.#sluice?.status.state;
    const failure = asError(error);
    if (state === "connecting" || state === "reconnecting") {
      this.#failure = failure;
      this.#sluice?.close();
    } else this.#options.onNotice({ kind: "server-error", code: "TOKEN_FILE", message: failure.message });
  }

  #judge({ status }: Sluice, error: unknown): StreamEnd {
    if (status.state === "ended" && status.reason !== "closed") {
      return { kind: status.reason === "token" ? "no-permission" : "refused", why: describeLoss(status) };
    }
    if (error === undefined || this.#isStopped) return { kind: "stopped" };
    if (!(error instanceof SluiceError)) throw asError(error);
    if (error.code === "FORBIDDEN" || error.status === 401) return { kind: "no-permission", why: error.message };
    return { kind: "refused", why: `${error.message} (${error.code})` };
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
