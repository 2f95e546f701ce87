// A connection to a backend, read into one buffer that all of them share: a chunk is as large as what came, and no byte
// is read ahead while the other side does not take what there is.
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** What libuv reads at most at once. */
export const chunkBytes = 65_536;

const shared = Buffer.allocUnsafeSlow(chunkBytes);

export interface ConnectOptions {
  readonly url: URL;
  readonly keepaliveMs: number;
}

/** Who gets what a backend says. */
export interface BackendReceiver {
  /** `chunk` is lent for the call: what is to be kept of it is copied. */
  receive(chunk: Buffer): void;
}

/** A socket, and who gets what it reads: first the one that dialled, then the tunnel. */
export class BackendSocket {
  readonly socket: Socket;
  #receiver: BackendReceiver;

  constructor({ url, keepaliveMs }: ConnectOptions, receiver: BackendReceiver) {
    this.#receiver = receiver;
    const options = {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port) || (url.protocol === "https:" ? 443 : 80),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepaliveMs,
      onread: { buffer: shared, callback: (count: number) => this.#take(count) },
    };
    this.socket =
      url.protocol === "https:"
        ? connectTls({ ...options, servername: options.host, ALPNProtocols: ["http/1.1"] })
        : connectTcp(options);
  }

  /** From now on every chunk goes to this one. */
  receiveWith(receiver: BackendReceiver): void {
    this.#receiver = receiver;
  }

  #take(count: number): boolean {
    this.#receiver.receive(shared.subarray(0, count));
    return !this.socket.isPaused();
  }
}
