// Whether the servers can be reached, known within seconds: also when packets vanish and no socket says so.
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "@sluice/runtime";

/** How often a server is asked whether it is there, ms. */
const askMs = 500;
/** Nothing heard for this long, ms: the servers are out of reach. */
const silenceMsMax = 2000;
/** With nothing heard for this long a connection is given up for a new one, ms. */
const reconnectAfterMs = 3000;

export interface ContactOptions {
  readonly nats: NatsConnection;
  readonly clock: Clock;
  /** The connection is gone; what was under way may be lost with it. */
  readonly onDisconnect: () => void;
  /** There is a connection again. */
  readonly onReconnect: () => void;
  /** Out of reach, or in reach again. */
  readonly onChange: (isReachable: boolean) => void;
}

/** Watches a connection. It does not own it. */
export class Contact {
  isReachable = true;
  readonly #options: ContactOptions;
  readonly #timer: NodeJS.Timeout;
  #heardAtMs: number;
  #reconnectedAtMs: number;
  #isConnected = true;
  #isAsking = false;

  constructor(options: ContactOptions) {
    this.#options = options;
    this.#heardAtMs = options.clock.now();
    this.#reconnectedAtMs = this.#heardAtMs;
    this.#timer = setInterval(() => this.#look(), askMs);
    this.#timer.unref();
    void this.#follow();
  }

  /** A server has said something. */
  heard(): void {
    this.#heardAtMs = this.#options.clock.now();
    if (!this.isReachable) this.#judge();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #follow(): Promise<void> {
    for await (const status of this.#options.nats.status()) {
      if (status.type === "disconnect" && this.#isConnected) {
        this.#isConnected = false;
        this.#options.onDisconnect();
      } else if (status.type === "reconnect") {
        this.#isConnected = true;
        this.#isAsking = false;
        this.heard();
        this.#options.onReconnect();
      }
    }
  }

  #look(): void {
    this.#judge();
    const { nats, clock } = this.#options;
    if (!this.#isConnected || nats.isClosed()) return;
    const now = clock.now();
    if (now - Math.max(this.#heardAtMs, this.#reconnectedAtMs) >= reconnectAfterMs) {
      this.#reconnectedAtMs = now;
      this.#isAsking = false;
      void nats.reconnect();
      return;
    }
    if (this.#isAsking) return;
    this.#isAsking = true;
    nats.flush().then(
      () => {
        this.#isAsking = false;
        this.heard();
      },
      () => {
        this.#isAsking = false;
      },
    );
  }

  #judge(): void {
    const isReachable = this.#options.clock.now() - this.#heardAtMs < silenceMsMax;
    if (isReachable === this.isReachable) return;
    this.isReachable = isReachable;
    this.#options.onChange(isReachable);
  }
}
