// A plain WebSocket client, not ours: nothing of the SDK, so that what it sees is what the wire carries.
import type { IncomingMessage } from "node:http";
import { WebSocket, type ClientOptions } from "ws";
import { deadlineMsDefault, within } from "./deadline.js";

/** A frame as it came, decoded. */
export interface Frame {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** An event frame of the wire. */
export interface EventFrame extends Frame {
  readonly type: "event";
  readonly seq: number;
  readonly event_id: string;
  readonly event_type: string;
  readonly cluster_id?: string;
  readonly payload: unknown;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
  /** Monotonic ms. */
  readonly atMs: number;
}

/** The HTTP answer to a handshake that was not accepted. */
export interface Refusal {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Thrown by `connect` when the server answered the handshake with something else than 101. */
export class HandshakeRefused extends Error {
  override readonly name = "HandshakeRefused";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`the handshake was answered with ${refusal.status}: ${refusal.body}`);
    this.refusal = refusal;
  }
}

export interface ConnectOptions {
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly origin?: string;
  readonly subprotocols?: readonly string[];
  /** Without the question mark. */
  readonly query?: string;
  /** Default `/ws`. */
  readonly path?: string;
  readonly options?: ClientOptions;
}

const shownFrames = 5;

function refusalOf(response: IncomingMessage): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      const { statusCode = 0, headers } = response;
      resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString() });
    });
  });
}

function openSocket(url: string, options: ConnectOptions): WebSocket {
  const { token, headers = {}, origin, subprotocols = [], query, path = "/ws" } = options;
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const target = `${url.replace(/^http/, "ws")}${path}${query === undefined ? "" : `?${query}`}`;
  return new WebSocket(target, [...subprotocols], {
    headers: { ...authorization, ...headers },
    ...(origin === undefined ? {} : { origin }),
    perMessageDeflate: false,
    ...options.options,
  });
}

/** One connection. Every frame is queued from the first moment, and read in order. */
export class RawClient implements AsyncDisposable {
  /** The underlying client, for what a test does to the transport itself. */
  readonly webSocket: WebSocket;
  /** Resolves when the connection has ended, however it did (1006 without a close frame). */
  readonly closed: Promise<Closed>;
  /** Events that came so far, also those not read yet. */
  eventsReceived = 0;
  readonly #queue: Frame[] = [];
  #wake: (() => void) | undefined;
  #skipped: string[] = [];
  #closed: Closed | undefined;

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    webSocket.on("message", (data) => this.#take(JSON.parse((data as Buffer).toString()) as Frame));
    webSocket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      webSocket.on("close", (code, reason) => {
        this.#closed = { code, reason: reason.toString(), atMs: performance.now() };
        this.#wake?.();
        resolve(this.#closed);
      });
    });
  }

  /** Connects, and resolves when the handshake is done. @throws {HandshakeRefused} */
  static async connect(url: string, options: ConnectOptions = {}): Promise<RawClient> {
    const webSocket = openSocket(url, options);
    const client = new RawClient(webSocket);
    const opened = new Promise<void>((resolve, reject) => {
      webSocket.once("open", resolve);
      webSocket.once("error", reject);
      webSocket.once("unexpected-response", (_request, response) => {
        refusalOf(response).then((refusal) => reject(new HandshakeRefused(refusal)), reject);
      });
    });
    await within("the WebSocket handshake", opened);
    return client;
  }

  /** Connects and expects to be refused with HTTP. */
  static async refused(url: string, options: ConnectOptions = {}): Promise<Refusal> {
    try {
      await using client = await RawClient.connect(url, options);
      throw new Error(`the handshake was accepted with subprotocol "${client.webSocket.protocol}"`);
    } catch (error) {
      if (error instanceof HandshakeRefused) return error.refusal;
      throw error;
    }
  }

  #take(frame: Frame): void {
    if (frame.type === "event") this.eventsReceived += 1;
    this.#queue.push(frame);
    this.#wake?.();
  }

  send(message: unknown): void {
    this.webSocket.send(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.webSocket.send(text);
  }

  /** The very next frame, whatever it is. */
  async take(deadlineMs: number = deadlineMsDefault): Promise<Frame> {
    return this.#await("any frame", deadlineMs);
  }

  /** The next frame of a type; others before it are passed over. */
  async next(type: string, deadlineMs: number = deadlineMsDefault): Promise<Frame> {
    return this.nextWhere(`a frame "${type}"`, (frame) => frame.type === type, deadlineMs);
  }

  /** The next frame that fits; others before it are passed over. */
  async nextWhere(
    what: string,
    fits: (frame: Frame) => boolean,
    deadlineMs: number = deadlineMsDefault,
  ): Promise<Frame> {
    const frames = await this.until(what, fits, deadlineMs);
    return frames[frames.length - 1] as Frame;
  }

  /** Every frame up to and including the first that fits. */
  async until(what: string, fits: (frame: Frame) => boolean, deadlineMs: number = deadlineMsDefault): Promise<Frame[]> {
    const endMs = performance.now() + deadlineMs;
    const frames: Frame[] = [];
    for (;;) {
      const frame = this.#queue.shift() ?? (await this.#await(what, endMs - performance.now()));
      frames.push(frame);
      if (fits(frame)) return frames;
      this.#skipped = [...this.#skipped, JSON.stringify(frame).slice(0, 200)].slice(-shownFrames);
    }
  }

  /** The next `count` events, passing over other frames. */
  async events(count: number, deadlineMs: number = deadlineMsDefault): Promise<EventFrame[]> {
    let seen = 0;
    const frames = await this.until(
      `event ${count} of ${count}`,
      (frame) => frame.type === "event" && (seen += 1) === count,
      deadlineMs,
    );
    return frames.filter((frame): frame is EventFrame => frame.type === "event");
  }

  async #await(what: string, deadlineMs: number): Promise<Frame> {
    const arrival = async (): Promise<Frame> => {
      for (;;) {
        const frame = this.#queue.shift();
        if (frame !== undefined) return frame;
        if (this.#closed !== undefined) {
          const { code, reason } = this.#closed;
          throw new Error(
            `waited for ${what}; instead the connection closed with ${code} "${reason}"; ${this.#instead()}`,
          );
        }
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    return within(what, arrival(), Math.max(1, deadlineMs), () => this.#instead());
  }

  #instead(): string {
    return this.#skipped.length === 0 ? "no other frame" : `lastly ${this.#skipped.join(" ")}`;
  }

  /** Sends a command, and waits for the answer with its id. */
  async ask(command: {
    readonly type: string;
    readonly id: string;
    readonly [member: string]: unknown;
  }): Promise<Frame> {
    this.send(command);
    return this.nextWhere(`the answer to ${command.type} "${command.id}"`, (frame) => frame["id"] === command.id);
  }

  /** Subscribes, and waits for `subscribed`. */
  async subscribe(events: readonly string[], more: Readonly<Record<string, unknown>> = {}): Promise<Frame> {
    const answer = await this.ask({ type: "subscribe", id: `subscribe ${events[0] ?? ""}`, events, ...more });
    if (answer.type !== "subscribed") throw new Error(`subscribe was answered with ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Stops reading the socket: the peer's bytes pile up, first in the kernel and then at the peer. */
  pause(): void {
    this.webSocket.pause();
  }

  resume(): void {
    this.webSocket.resume();
  }

  /** Cuts the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.webSocket.terminate();
    await this.closed;
  }
}
