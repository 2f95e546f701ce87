// A subscriber that outlives its connections: when one ends it opens the next and goes on from where it stood, as the
// protocol tells clients to (§2, §3). It checks nothing; it keeps what it saw.
import { RawClient, type EventFrame, type Frame } from "./raw-client.js";

export interface ResumingClientOptions {
  /** Where the service is now; asked before each connection. */
  readonly url: () => string;
  readonly token: string;
  readonly events: readonly string[];
  readonly clusters?: readonly string[];
  /** Query of each connection, without the question mark. Default `policy=replay`. */
  readonly query?: string;
  /** Told of each event instead of keeping it in `events`: for runs of many clients and events. */
  readonly onEvent?: (event: EventFrame) => void;
}

const retryMs = 20;
/** The longest that a timer can wait. */
const foreverMs = 2 ** 31 - 1;

/** One subscription over as many connections as it takes. */
export class ResumingClient implements AsyncDisposable {
  /** Events of all connections, in the order in which they came; repeats too, if there are any. */
  readonly events: EventFrame[] = [];
  readonly gaps: Frame[] = [];
  readonly errors: Frame[] = [];
  /** Epochs that `connected` named, each once. */
  readonly epochs = new Set<string>();
  /** Connections that were subscribed, resumed ones too. */
  connections = 0;
  /** Resume points that came from a heartbeat. */
  pingsSeen = 0;
  #since = 0;
  #epoch: string | undefined;
  #isEnded = false;
  #current: RawClient | undefined;
  #wake: (() => void) | undefined;
  /** A heartbeat before it promises nothing about the `since` that is on its way. */
  #isSubscribed = false;
  readonly #options: ResumingClientOptions;
  readonly #run: Promise<void>;

  constructor(options: ResumingClientOptions) {
    this.#options = options;
    this.#run = this.#connectAgainAndAgain();
  }

  /** The seq up to which it has everything: of the newest event or heartbeat. */
  get position(): number {
    return this.#since;
  }

  /** Resolves when it has everything up to `seq`; wait with a deadline. */
  async reached(seq: number): Promise<void> {
    while (this.#since < seq) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** Cuts the current connection, if there is one. */
  cut(): void {
    this.#current?.webSocket.terminate();
  }

  async #connectAgainAndAgain(): Promise<void> {
    while (!this.#isEnded) {
      try {
        await this.#connect();
      } catch {
        // Refused, cut or ended: what counts is what came before.
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  async #connect(): Promise<void> {
    const { url, token, events, clusters, query = "policy=replay" } = this.#options;
    await using client = await RawClient.connect(url(), { token, query });
    this.#current = client;
    this.#isSubscribed = false;
    client.send({
      type: "subscribe",
      events,
      ...(clusters === undefined ? {} : { clusters }),
      since: this.#since,
      ...(this.#epoch === undefined ? {} : { epoch: this.#epoch }),
    });
    while (!this.#isEnded) this.#look(await client.take(foreverMs), client);
  }

  #look(frame: Frame, client: RawClient): void {
    switch (frame.type) {
      case "connected":
        this.#epoch = frame["epoch"] as string;
        this.epochs.add(this.#epoch);
        return;
      case "subscribed":
        this.connections += 1;
        this.#isSubscribed = true;
        return;
      case "event":
        if (this.#options.onEvent === undefined) this.events.push(frame as EventFrame);
        else this.#options.onEvent(frame as EventFrame);
        this.#since = (frame as EventFrame).seq;
        break;
      case "gap":
        this.gaps.push(frame);
        return;
      case "ping":
        client.send({ type: "pong" });
        if (!this.#isSubscribed) return;
        this.pingsSeen += 1;
        this.#since = Math.max(this.#since, frame["seq"] as number);
        break;
      case "error":
        this.errors.push(frame);
        return;
    }
    this.#wake?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    this.cut();
    await this.#run;
  }
}
