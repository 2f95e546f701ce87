// A WebSocket without a network: the test is the server.
import type { ConnectedFrame, ServerFrame } from "@sluice/protocol";
import type { SluiceEvent } from "../event.js";
import type { SocketEvent, WebSocketConstructor, WebSocketLike } from "../web-socket.js";

type Listener = (event: SocketEvent) => void;

/** A command as it was sent. */
export type SentCommand = Readonly<Record<string, unknown>> & { readonly type: string };

export class FakeSocket implements WebSocketLike {
  readonly url: string;
  readonly protocols: readonly string[];
  readyState = 1;
  /** What was asked of the transport: `close 1000`, `terminate`, `pause`, `resume`. */
  readonly asked: string[] = [];
  readonly #listeners = new Map<string, Listener[]>();
  #sent: SentCommand[] = [];

  constructor(url: string, protocols: readonly string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  emit(type: "message" | "error" | "close", event: SocketEvent): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  send(data: string): void {
    this.#sent.push(JSON.parse(data) as SentCommand);
  }

  close(code?: number): void {
    this.asked.push(`close ${code ?? ""}`);
    this.readyState = 3;
  }

  terminate(): void {
    this.asked.push("terminate");
    this.readyState = 3;
  }

  pause(): void {
    this.asked.push("pause");
  }

  resume(): void {
    this.asked.push("resume");
  }

  /** Commands sent since the last call, without pings and pongs unless told. */
  takeSent(types: readonly string[] = ["subscribe", "unsubscribe", "refresh"]): SentCommand[] {
    const sent = this.#sent.filter(({ type }) => types.includes(type));
    this.#sent = [];
    return sent;
  }

  receive(message: ServerFrame | SluiceEvent | { readonly type: string }): void {
    this.emit("message", { data: JSON.stringify(message) });
  }

  /** The server greets. */
  greet(more: Partial<ConnectedFrame> = {}): void {
    this.receive({
      type: "connected",
      connection_id: "c",
      user_id: "alice",
      protocol: "sluice.v1",
      server_time: "2026-01-01T00:00:00.000Z",
      epoch: "e1",
      seq: 0,
      policy: "replay",
      heartbeat: { interval_ms: 30_000, timeout_ms: 10_000, max_missed: 3 },
      buffer: { max_messages: 1000, high_watermark: 0.8, low_watermark: 0.5 },
      ...more,
    });
  }

  /** Events with these seqs. */
  events(...seqs: readonly number[]): void {
    for (const seq of seqs) this.receive(eventOf(seq));
  }

  /** Confirms every subscription asked for since the last call. @returns the commands */
  confirm(seq: number): SentCommand[] {
    const commands = this.takeSent();
    for (const { type, id, events, clusters } of commands) {
      if (type !== "subscribe") continue;
      const names = { events: events as string[], clusters: clusters as string[] };
      this.receive({ type: "subscribed", id: id as string, ...names, seq });
    }
    return commands;
  }

  closeWith(code: number, reason = ""): void {
    this.readyState = 3;
    this.emit("close", { code, reason });
  }
}

/** An event, of type `A` unless told. */
export function eventOf(seq: number, more: Partial<SluiceEvent> = {}): SluiceEvent {
  return {
    type: "event",
    seq,
    event_id: `id-${seq}`,
    event_type: "A",
    timestamp: "2026-01-01T00:00:00.000Z",
    payload: { n: seq },
    ...more,
  };
}

/** A constructor of fake sockets, and those that it made. */
export function fakeSockets(): { readonly WebSocket: WebSocketConstructor; readonly sockets: FakeSocket[] } {
  const sockets: FakeSocket[] = [];
  const WebSocket = class extends FakeSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  };
  return { WebSocket, sockets };
}
