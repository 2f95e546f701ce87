// The echo of the test mode: the handshake and the framing of the service, and every message back as it came. No token,
// no event, no bound but that on a message's size: what suites such as Autobahn's point at.

import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { CloseEntry } from "@sluice/protocol";
import { handshakeProblem, refuseUpgrade } from "@sluice/runtime";
import { WebSocketServer } from "ws";
import { acceptableOffers } from "./deflate-offer.js";
import { SluiceWebSocket } from "./sluice-web-socket.js";
import { watchFrames } from "./watch-frames.js";

/** Echoes that wait for their reader; past it nothing more is read, bytes. */
const waitingBytesMax = 1_048_576;

export interface EchoEndpointOptions {
  /** `limits.message_bytes`. */
  readonly messageBytesMax: number;
  /** `server.compression`. */
  readonly compression: boolean;
}

export class EchoEndpoint {
  readonly #options: EchoEndpointOptions;
  readonly #handshaker: WebSocketServer;

  constructor(options: EchoEndpointOptions) {
    this.#options = options;
    this.#handshaker = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: options.compression && { threshold: 0 },
      maxPayload: options.messageBytesMax,
      maxFragments: 0,
      maxBufferedChunks: 0,
      WebSocket: SluiceWebSocket,
      handleProtocols: () => false as const,
    });
  }

  /** Takes the server's upgrades. */
  attach(server: Server): void {
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const problem = handshakeProblem(request);
    if (problem !== undefined) {
      refuseUpgrade(socket, problem);
      return;
    }
    const offers = acceptableOffers(request.headers["sec-websocket-extensions"]);
    if (offers === undefined) delete request.headers["sec-websocket-extensions"];
    else request.headers["sec-websocket-extensions"] = offers;
    delete request.headers["sec-websocket-protocol"];
    this.#handshaker.handleUpgrade(request, socket, head, (webSocket) => {
      this.#echo(webSocket as SluiceWebSocket, socket as Socket);
    });
  }

  #echo(webSocket: SluiceWebSocket, socket: Socket): void {
    const close = ({ code, reason }: CloseEntry): void => webSocket.close(code, reason);
    watchFrames(webSocket, socket, { frameBytesMax: this.#options.messageBytesMax, close });
    webSocket.on("error", () => {});
    webSocket.on("message", (data, isBinary) => {
      webSocket.send(data as Buffer, { binary: isBinary, compress: webSocket.extensions !== "" }, () => {
        if (webSocket.isPaused && webSocket.bufferedAmount < waitingBytesMax) webSocket.resume();
      });
      if (webSocket.bufferedAmount >= waitingBytesMax) webSocket.pause();
    });
  }
}
