// The upgrade: checked, counted, authenticated, and only then turned into a connection (protocol §1). What the
// connection says is the session's matter.

import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { closes, type CloseEntry } from "@sluice/protocol";
import {
  type AuthFailure,
  type AuthOutcome,
  challengeFor,
  findToken,
  type FoundToken,
  handshakeProblem,
  type Identity,
  isAnswering,
  isOriginAllowed,
  offeredSubprotocols,
  type Problem,
  refuseUpgrade,
  selectSubprotocol,
  TokenBucket,
  type TokenBucketOptions,
} from "@sluice/runtime";
import { acceptableOffers } from "./deflate-offer.js";
import { readConnectionOptions, type ConnectionOptions } from "./connection-options.js";
import { WebSocketServer } from "ws";
import { Consumer } from "../delivery/consumer.js";
import { deflateEncoding } from "../routing/deflate-encoding.js";
import { websocketEncoding } from "../routing/websocket-encoding.js";
import { Session, type SessionContext } from "../session/session.js";
import type { Connections, Place } from "./connections.js";
import type { EndpointTally } from "./endpoint-tally.js";
import { pongTextBytes } from "./pong-frame.js";
import { SluiceWebSocket } from "./sluice-web-socket.js";
import { UnfinishedMessages, type Incoming } from "./unfinished-messages.js";
import { watchFrames } from "./watch-frames.js";
import { WebSocketSink } from "./websocket-sink.js";

/** Fragments of one message; a command needs one. */
const fragmentsMax = 16;
/** Chunks in which one message may arrive; more is somebody sending byte by byte. */
const bufferedChunksMax = 1024;
/** Pings and pongs of RFC 6455 that a client may send a second, and at once; our heartbeat needs none of them. */
const controlRate: TokenBucketOptions = { perSecond: 20, burst: 20 };
/**
 * How long a peer may take to answer a close, ms. What was written before the close goes first, and a slow reader's
 * kernel buffers hold megabytes of it: cut too early, it would never learn why it was closed.
 */
const closeTimeoutMs = 10_000;

/** What the endpoint works with. */
export interface WebSocketEndpointOptions {
  readonly context: SessionContext;
  readonly connections: Connections;
  readonly tally: EndpointTally;
  /** Authenticates what the request brought; tickets are used up. */
  readonly identify: (found: FoundToken) => Promise<AuthOutcome>;
  readonly queryToken: boolean;
  /** `server.compression`. */
  readonly compression: boolean;
  readonly allowedOrigins: readonly string[];
  readonly defaults: ConnectionOptions;
  /** `limits.message_bytes`. */
  readonly messageBytesMax: number;
  /** `limits.handshake_ms`, for authentication; the request's head has the HTTP server's own deadline. */
  readonly handshakeMs: number;
  readonly isDraining: () => boolean;
  readonly onConnection: (event: "opened" | "closed", details: Readonly<Record<string, unknown>>) => void;
  /** A connection has had its greeting. */
  readonly onOpen?: (consumer: Consumer) => void;
  readonly onError: (error: unknown) => void;
}

/** A handshake that passed every check but the token. */
interface Candidate {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  readonly options: ConnectionOptions;
}

/** The WebSocket door of a server. */
export class WebSocketEndpoint {
  readonly #options: WebSocketEndpointOptions;
  readonly #handshaker: WebSocketServer;
  readonly #unfinished: UnfinishedMessages;
  /** Closed by us, and the close not yet answered. */
  readonly #closing = new Set<SluiceWebSocket>();

  constructor(options: WebSocketEndpointOptions) {
    this.#options = options;
    const settings = {
      noServer: true,
      clientTracking: false,
      // Without context takeover on either side a connection has no compressor of its own, and frames can be shared.
      perMessageDeflate: options.compression && { serverNoContextTakeover: true, clientNoContextTakeover: true },
      maxPayload: options.messageBytesMax,
      maxFragments: fragmentsMax,
      maxBufferedChunks: bufferedChunksMax,
      closeTimeout: closeTimeoutMs,
      WebSocket: SluiceWebSocket,
      handleProtocols: (offered: Set<string>) => selectSubprotocol([...offered]) ?? (false as const),
    };
    this.#handshaker = new WebSocketServer(settings);
    this.#unfinished = new UnfinishedMessages(options.context.clock);
  }

  /** Takes the server's upgrades. */
  attach(server: Server): void {
    server.on("close", () => this.#unfinished.stop());
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Ends the connections that have not answered their close. */
  cutClosing(): void {
    for (const webSocket of this.#closing) webSocket.terminate();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Before anything else: a client that resets now must not end the process.
    socket.on("error", () => socket.destroy());
    if (isAnswering(socket)) {
      this.#options.tally.refused.malformed += 1;
      socket.destroy();
      return;
    }
    this.#admit(request, socket as Socket, head).catch((error: unknown) => {
      this.#options.onError(error);
      socket.destroy();
    });
  }

  async #admit(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const checked = this.#check(request);
    if ("name" in checked) {
      refuseUpgrade(socket, checked);
      return;
    }
    // `ws` refuses a handshake for an offer that it can't take; the offer alone is to be declined.
    const offers = acceptableOffers(request.headers["sec-websocket-extensions"]);
    if (offers === undefined) delete request.headers["sec-websocket-extensions"];
    else request.headers["sec-websocket-extensions"] = offers;
    const candidate: Candidate = { request, socket, head, options: checked };
    const place = this.#options.connections.take(socket.remoteAddress ?? "");
    if (place === undefined) {
      this.#options.tally.refused.capacity += 1;
      this.#refuseAfterHandshake(candidate, closes.tryAgainLater);
      return;
    }
    socket.once("close", () => place.release());
    const found = findToken(request, { queryToken: this.#options.queryToken });
    const outcome = await this.#identifyInTime(found, socket);
    if (outcome === undefined || socket.destroyed) return;
    if (!outcome.ok) this.#refuseToken(candidate, outcome);
    else this.#accept(candidate, place, outcome.identity);
  }

  #check(request: IncomingMessage): ConnectionOptions | Problem {
    const { tally, allowedOrigins, defaults } = this.#options;
    if (this.#options.isDraining()) {
      tally.refused.draining += 1;
      return { name: "unavailable", detail: "The service is draining", headers: { "retry-after": "1" } };
    }
    const problem = handshakeProblem(request);
    if (problem !== undefined) {
      tally.refused.malformed += 1;
      return problem;
    }
    if (!isOriginAllowed(request.headers.origin, allowedOrigins)) {
      tally.refused.origin += 1;
      return { name: "forbidden", detail: "This origin may not connect (server.allowed_origins)", field: "Origin" };
    }
    return readConnectionOptions(new URL(request.url ?? "/", "http://localhost").searchParams, defaults);
  }

  async #identifyInTime(found: FoundToken, socket: Socket): Promise<AuthOutcome | undefined> {
    const { identify, handshakeMs, tally } = this.#options;
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      deadline = setTimeout(() => resolve(undefined), handshakeMs);
    });
    const outcome = await Promise.race([identify(found), late]);
    clearTimeout(deadline);
    if (outcome === undefined) {
      tally.refused.timeout += 1;
      refuseUpgrade(socket, { name: "authentication-unavailable", detail: "The token could not be checked in time" });
    }
    return outcome;
  }

  /** A browser can't read a refused handshake, so it gets the handshake and a close that it can (protocol §1). */
  #refuseToken(candidate: Candidate, failure: AuthFailure): void {
    if (candidate.request.headers.origin !== undefined) {
      const entry = failure.status === 503 ? closes.tryAgainLater : closes.authenticationFailed;
      this.#refuseAfterHandshake(candidate, entry);
      return;
    }
    const { headers, detail } = challengeFor(failure, "handshake");
    const name = failure.status === 503 ? "authentication-unavailable" : "invalid-token";
    refuseUpgrade(candidate.socket, { name, detail, headers });
  }

  #refuseAfterHandshake({ request, socket, head }: Candidate, entry: CloseEntry): void {
    this.#handshaker.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("error", ignoreError);
      this.#options.tally.countClosed(entry.code);
      webSocket.close(entry.code, entry.reason);
    });
  }

  #accept(candidate: Candidate, place: Place, identity: Identity): void {
    if (!place.claimFor(identity.userId)) {
      this.#options.tally.refused.capacity += 1;
      this.#refuseAfterHandshake(candidate, closes.tryAgainLater);
      return;
    }
    const { request, socket, head } = candidate;
    // A client that offers only the word that announces a token gets no answer to that (RFC 6455 §4.2.2).
    if (selectSubprotocol(offeredSubprotocols(request.headers)) === undefined) {
      delete request.headers["sec-websocket-protocol"];
    }
    // The answer and the greeting leave together: one packet less for everyone on the way.
    socket.cork();
    this.#handshaker.handleUpgrade(request, socket, head, (webSocket) => {
      this.#open(webSocket as SluiceWebSocket, candidate, place, identity);
    });
    socket.uncork();
  }

  #open(webSocket: SluiceWebSocket, { socket, options }: Candidate, place: Place, identity: Identity): void {
    const { context, tally, onConnection } = this.#options;
    const consumer = new Consumer({
      id: randomUUID(),
      encoding: webSocket.extensions === "" ? websocketEncoding : deflateEncoding,
      sink: new WebSocketSink(webSocket, socket, this.#closing),
      ...options,
      position: context.delivery.routedSeq,
      now: context.clock.now(),
    });
    const session = new Session(context, consumer, identity);
    const remoteAddress = socket.remoteAddress ?? "";
    const connectedAtMs = context.clock.wall();
    place.register({ id: consumer.id, userId: identity.userId, remoteAddress, connectedAtMs, session });
    tally.opened += 1;
    const details = { connection_id: consumer.id, user_id: identity.userId, remote_address: remoteAddress };
    onConnection("opened", details);
    this.#options.onOpen?.(consumer);
    const incoming: Incoming = {
      isHeld: () => webSocket.isPaused,
      expire: () => context.delivery.close(consumer, closes.policyViolation),
    };
    // Before `ws` reads the bytes, which it does at once: what is whole then has ended after it began.
    socket.prependListener("data", () => {
      if (webSocket.readyState === SluiceWebSocket.OPEN) this.#unfinished.began(incoming);
      // The answers to commands that came together leave together.
      socket.cork();
    });
    socket.on("data", () => socket.uncork());
    const close = (entry: CloseEntry): void => context.delivery.close(consumer, entry);
    const onPong = (): void => {
      tally.bytesIn += pongTextBytes;
      session.receivePong();
    };
    watchFrames(webSocket, socket, { frameBytesMax: this.#options.messageBytesMax, close, onPong });
    webSocket.on("message", (data, isBinary) => {
      this.#unfinished.ended(incoming);
      if (consumer.isClosed) return;
      const bytes = data as Buffer;
      tally.bytesIn += bytes.length;
      if (isBinary) context.delivery.close(consumer, closes.textOnly);
      else session.receive(bytes.toString("utf8"));
    });
    const controls = new TokenBucket(controlRate, context.clock.now());
    const countControl = (): void => {
      this.#unfinished.ended(incoming);
      if (!controls.take(context.clock.now())) context.delivery.close(consumer, closes.policyViolation);
    };
    webSocket.on("ping", countControl).on("pong", countControl);
    webSocket.on("error", ignoreError);
    socket.on("drain", () => context.delivery.drained(consumer));
    webSocket.on("close", (received) => {
      this.#closing.delete(webSocket);
      this.#unfinished.ended(incoming);
      session.end();
      place.release();
      const code = webSocket.closedWith ?? received;
      tally.countClosed(code);
      onConnection("closed", { ...details, code, duration_ms: Math.round(context.clock.wall() - connectedAtMs) });
    });
  }
}

/**
 * `ws` closes with the right code, or has destroyed the socket, before it tells of an error; unheard it would throw.
 */
function ignoreError(): void {}
