// A client and a backend with one fate: bytes flow both ways under backpressure, and when one side ends so does the other,
// with the code that it ended with or the one that says why (protocol §7).
import type { Socket } from "node:net";
import { closes, type CloseEntry } from "@sluice/protocol";
import { FrameTracker, type FrameFault } from "@sluice/runtime";
import type { BackendSocket } from "./backend-socket.js";
import { encodeCloseFrame } from "./close-frame.js";
import type { OutgoingChunks } from "./outgoing-chunks.js";
import { Relay, type RelayOwner } from "./relay.js";

/** How a tunnel behaves; the settings `gateway.tunnel`. */
export interface TunnelBounds {
  /** In each direction, of frames that have not arrived whole. */
  readonly holdBytesMax: number;
  readonly chunks: OutgoingChunks;
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

/** What all tunnels of a gateway share, and who hears of their end. */
export interface TunnelHost {
  /** May be replaced; a tunnel keeps those that it began with. */
  readonly bounds: TunnelBounds;
  readonly meter: TunnelMeter;
  /** The client is about to be told that its backend is of no use any more. */
  backendLost(tunnel: Tunnel): void;
  /** Both connections have gone. */
  tunnelEnded(tunnel: Tunnel, end: TunnelEnd, code: number): void;
}

export interface TunnelEnds {
  readonly client: Socket;
  /** What the client sent behind its handshake. */
  readonly clientHead: Buffer;
  readonly backend: BackendSocket;
  /** What the backend sent behind its answer. */
  readonly backendHead: Buffer;
  /** See {@link FrameTracker}. */
  readonly reservedBits: number;
}

/** What a backend is told when the gateway ends a tunnel. */
const goingAway = { code: 1001, reason: "Going away" };
/** An end without a close frame (RFC 6455 §7.1.5). */
const abnormal = 1006;

const closeOfFault: Readonly<Record<FrameFault, CloseEntry>> = {
  protocol: closes.protocolError,
  "too-big": closes.messageTooBig,
};

export class Tunnel implements RelayOwner {
  readonly #host: TunnelHost;
  readonly #bounds: TunnelBounds;
  readonly #client: Socket;
  readonly #backend: Socket;
  readonly #fromClient: FrameTracker;
  readonly #fromBackend: FrameTracker;
  readonly #toClient: Relay;
  readonly #toBackend: Relay;
  #end: TunnelEnd | undefined;
  #code = abnormal;
  #deadline: NodeJS.Timeout | undefined;
  #openSockets = 2;

  /** Takes both sockets over; they must have an `error` listener each. */
  constructor(host: TunnelHost, ends: TunnelEnds) {
    const { client, backend, reservedBits } = ends;
    const { bounds } = host;
    const { holdBytesMax, chunks, frameBytesMax } = bounds;
    this.#host = host;
    this.#bounds = bounds;
    this.#client = client;
    this.#backend = backend.socket;
    this.#fromClient = new FrameTracker({ masked: true, frameBytesMax, reservedBits });
    this.#fromBackend = new FrameTracker({ masked: false, frameBytesMax: Number.MAX_SAFE_INTEGER, reservedBits });
    this.#toBackend = new Relay({ tracker: this.#fromClient, owner: this, sink: this.#backend, holdBytesMax, chunks });
    this.#toClient = new Relay({ tracker: this.#fromBackend, owner: this, sink: client, holdBytesMax, chunks });
    this.#listen();
    this.#start(ends);
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

  /** Sends the client a message of the gateway's own, between two of the backend's; nothing once the tunnel ends. */
  announce(message: Buffer): void {
    if (this.#end === undefined) this.#toClient.announce(message);
  }

  /** Cuts both connections. */
  destroy(): void {
    this.#finish("ended-here", abnormal);
    this.#cut();
  }

  relayStalled(relay: Relay): void {
    const isToClient = relay === this.#toClient;
    const [source, sink] = isToClient ? [this.#backend, this.#client] : [this.#client, this.#backend];
    source.pause();
    if (sink.listenerCount("timeout") === 0) {
      sink.on("timeout", () => this.#stalled(isToClient ? "client-stalled" : "backend-stalled"));
    }
    sink.setTimeout(this.#bounds.stallMs);
  }

  relayFlows(relay: Relay): void {
    const [source, sink] = relay === this.#toClient ? [this.#backend, this.#client] : [this.#client, this.#backend];
    sink.setTimeout(0);
    source.resume();
  }

  relayEnded(relay: Relay): void {
    if (relay === this.#toClient) this.#backendClosed();
    else this.#clientClosed();
  }

  relayPassed(relay: Relay, count: number): void {
    if (relay === this.#toClient) this.#host.meter.bytesToClients += count;
    else this.#host.meter.bytesToBackends += count;
  }

  /** Apart from what begins the flow, so that a tunnel keeps no chunk of it alive. */
  #listen(): void {
    const [client, backend] = [this.#client, this.#backend];
    client.on("end", () => this.#clientEnded());
    client.on("close", () => this.#clientGone());
    client.on("data", (chunk: Buffer) => this.#toBackend.receive(chunk));
    backend.on("end", () => this.#backendEnded());
    backend.on("close", () => this.#backendGone());
  }

  #start({ client, clientHead, backend, backendHead }: TunnelEnds): void {
    if (clientHead.length > 0) this.#toBackend.receive(clientHead);
    if (this.#toBackend.isStalled) client.pause();
    if (backendHead.length > 0) this.#toClient.receive(backendHead);
    backend.receiveWith(this.#toClient);
    // Whoever dialled has paused it.
    if (!this.#toClient.isStalled) backend.socket.resume();
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
      this.#host.backendLost(this);
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
    this.#deadline = setTimeout(() => this.#cut(), this.#bounds.closeMs);
  }

  #cut(): void {
    this.#client.destroy();
    this.#backend.destroy();
  }

  #countClosed(): void {
    this.#openSockets -= 1;
    if (this.#openSockets > 0) return;
    clearTimeout(this.#deadline);
    this.#host.tunnelEnded(this, this.#end ?? "closed", this.#code);
  }
}
