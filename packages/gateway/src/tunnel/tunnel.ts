// A client and a backend with one fate: bytes flow both ways under backpressure, and when one side ends so does the other,
// with the code that it ended with or the one that says why (protocol §7).
import type { Socket } from "node:net";
import { closes, type CloseEntry } from "@sluice/protocol";
import { FrameTracker, type FrameFault } from "@sluice/runtime";
import type { BackendSocket } from "./backend-socket.js";
import { encodeCloseFrame } from "./close-frame.js";
import { Relay } from "./relay.js";

/** How a tunnel behaves; the settings `gateway.tunnel`. */
export interface TunnelBounds {
  /** In each direction, of frames that have not arrived whole. */
  readonly holdBytesMax: number;
  readonly frameBytesMax: number;
  readonly closeMs: number;
  readonly stallMs: number;
}

/** What all tunnels count together. */
export interface TunnelMeter {
  bytesToClients: number;
  bytesToBackends: number;
}

/** Why a tunnel ended, for logs and metrics. */
export type TunnelEnd =
  | "closed"
  | "client-gone"
  | "backend-lost"
  | "client-fault"
  | "backend-fault"
  | "client-stalled"
  | "backend-stalled"
  | "ended-here";

export interface TunnelOptions {
  readonly client: Socket;
  /** What the client sent behind its handshake. */
  readonly clientHead: Buffer;
  readonly backend: BackendSocket;
  /** What the backend sent behind its answer. */
  readonly backendHead: Buffer;
  /** See {@link FrameTracker}. */
  readonly reservedBits: number;
  readonly bounds: TunnelBounds;
  readonly meter: TunnelMeter;
  readonly onEnd: (end: TunnelEnd, code: number) => void;
}

/** What a backend is told when the gateway ends a tunnel. */
const goingAway = { code: 1001, reason: "Going away" };
/** An end without a close frame (RFC 6455 §7.1.5). */
const abnormal = 1006;

const closeOfFault: Readonly<Record<FrameFault, CloseEntry>> = {
  protocol: closes.protocolError,
  "too-big": closes.messageTooBig,
};

export class Tunnel {
  readonly #options: TunnelOptions;
  readonly #client: Socket;
  readonly #backend: Socket;
  readonly #toClient: Relay;
  readonly #toBackend: Relay;
  readonly #fromClient: FrameTracker;
  readonly #fromBackend: FrameTracker;
  #end: TunnelEnd | undefined;
  #code = abnormal;
  #deadline: NodeJS.Timeout | undefined;
  #openSockets = 2;

  /** Takes both sockets over; they must have an `error` listener each. */
  constructor(options: TunnelOptions) {
    const { client, backend, bounds, meter, reservedBits } = options;
    this.#options = options;
    this.#client = client;
    this.#backend = backend.socket;
    this.#fromClient = new FrameTracker({ masked: true, frameBytesMax: bounds.frameBytesMax, reservedBits });
    this.#fromBackend = new FrameTracker({ masked: false, frameBytesMax: Number.MAX_SAFE_INTEGER, reservedBits });
    this.#toBackend = this.#relay(this.#fromClient, this.#client, this.#backend, {
      onEnd: () => this.#clientClosed(),
      onBytes: (count) => (meter.bytesToBackends += count),
    });
    this.#toClient = this.#relay(this.#fromBackend, this.#backend, this.#client, {
      onEnd: () => this.#backendClosed(),
      onBytes: (count) => (meter.bytesToClients += count),
    });
    this.#listen();
  }

  /** Bytes that are held for this tunnel now. */
  get bufferedBytes(): number {
    const [client, backend] = [this.#client, this.#backend];
    const held = this.#toClient.heldBytes + this.#toBackend.heldBytes;
    return held + client.writableLength + backend.writableLength + client.readableLength + backend.readableLength;
  }

  get isPaused(): boolean {
    return this.#toClient.isStalled;
  }

  /** Ends the tunnel: the client gets this close at the next boundary of frames, the backend is told that it goes away. */
  close(entry: CloseEntry): void {
    this.#endWith("ended-here", entry);
  }

  /** Cuts both connections. */
  destroy(): void {
    this.#finish("ended-here", abnormal);
    this.#cut();
  }

  #relay(
    tracker: FrameTracker,
    source: Socket,
    sink: Socket,
    events: { onEnd: () => void; onBytes: (count: number) => void },
  ): Relay {
    const { holdBytesMax, stallMs } = this.#options.bounds;
    const onStall = (): void => {
      source.pause();
      sink.setTimeout(stallMs);
    };
    const onFlow = (): void => {
      sink.setTimeout(0);
      source.resume();
    };
    return new Relay({ tracker, sink, holdBytesMax, events: { ...events, onStall, onFlow } });
  }

  #listen(): void {
    const { clientHead, backendHead, backend } = this.#options;
    const [client, backendSocket] = [this.#client, this.#backend];
    client.on("end", () => this.#clientEnded());
    client.on("close", () => this.#clientGone());
    client.on("timeout", () => this.#stalled("client-stalled"));
    backendSocket.on("end", () => this.#backendEnded());
    backendSocket.on("close", () => this.#backendGone());
    backendSocket.on("timeout", () => this.#stalled("backend-stalled"));
    if (clientHead.length > 0) this.#toBackend.receive(clientHead);
    client.on("data", (chunk: Buffer) => this.#toBackend.receive(chunk));
    if (this.#toBackend.isStalled) client.pause();
    if (backendHead.length > 0) this.#toClient.receive(backendHead);
    backend.receiveWith((chunk) => this.#toClient.receive(chunk));
    if (this.#toClient.isStalled) backendSocket.pause();
  }

  #clientClosed(): void {
    const { fault, closeCode } = this.#fromClient;
    if (fault !== undefined) this.#endWith("client-fault", closeOfFault[fault]);
    else this.#finish("closed", closeCode ?? abnormal);
  }

  #backendClosed(): void {
    const { fault, closeCode } = this.#fromBackend;
    if (fault === undefined) this.#finish("closed", closeCode ?? abnormal);
    else this.#failBackend("backend-fault");
  }

  /** The client's FIN. What it has sent has been passed on; one that says no goodbye gets none. */
  #clientEnded(): void {
    this.#finish("client-gone", abnormal);
    this.#backend.end();
    if (this.#toClient.isEnded) this.#client.end();
  }

  #clientGone(): void {
    this.#finish("client-gone", abnormal);
    this.#countClosed();
    if (this.#backend.writableLength > 0) this.#backend.end();
    else this.#backend.destroy();
  }

  #backendEnded(): void {
    if (this.#toClient.isEnded) this.#client.end();
    else this.#failBackend("backend-lost");
  }

  #backendGone(): void {
    this.#countClosed();
    this.#backendEnded();
  }

  #stalled(end: "client-stalled" | "backend-stalled"): void {
    if (end === "backend-stalled") this.#failBackend(end);
    else {
      this.#finish(end, abnormal);
      this.#cut();
    }
  }

  /** The backend is of no use any more; the client hears so when it stands between two frames, and else is cut off. */
  #failBackend(end: TunnelEnd): void {
    const isFaulty = this.#fromBackend.fault !== undefined;
    if (this.#end === undefined && (this.#toClient.canInject || isFaulty)) {
      this.#endWith(end, closes.backendUnavailable);
    } else {
      this.#finish(end, abnormal);
      this.#client.end();
    }
    this.#backend.destroy();
  }

  /** Once a direction has its close, what still comes is read and dropped, so that no reset overtakes the close. */
  #endWith(end: TunnelEnd, entry: CloseEntry): void {
    if (this.#end !== undefined) return;
    this.#finish(end, entry.code);
    const [client, backend] = [this.#client, this.#backend];
    const forClient = encodeCloseFrame(entry, "client");
    const forBackend = encodeCloseFrame(end === "client-fault" ? entry : goingAway, "backend");
    this.#toClient.inject(forClient, () => {
      client.end();
      backend.resume();
    });
    this.#toBackend.inject(forBackend, () => {
      backend.end();
      client.resume();
    });
  }

  /** The first reason counts; from it on the deadline runs. */
  #finish(end: TunnelEnd, code: number): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#code = code;
    this.#deadline = setTimeout(() => this.#cut(), this.#options.bounds.closeMs);
  }

  #cut(): void {
    this.#client.destroy();
    this.#backend.destroy();
  }

  #countClosed(): void {
    this.#openSockets -= 1;
    if (this.#openSockets > 0) return;
    clearTimeout(this.#deadline);
    this.#options.onEnd(this.#end ?? "closed", this.#code);
  }
}
