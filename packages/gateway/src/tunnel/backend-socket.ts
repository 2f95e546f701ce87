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

/** A socket, and who gets what it reads. Before {@link receiveWith} the bytes go through the stream, as for Node's HTTP client. */
export class BackendSocket {
  readonly socket: Socket;
  #receive: ((chunk: Buffer) => void) | undefined;

  constructor({ url, keepaliveMs }: ConnectOptions) {
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

  /** From now on every chunk goes to `receive`, which owns it; those that came before first. */
  receiveWith(receive: (chunk: Buffer) => void): void {
    for (let early = this.#readEarly(); early !== null; early = this.#readEarly()) receive(early);
    this.#receive = receive;
    this.socket.resume();
  }

  #readEarly(): Buffer | null {
    return this.socket.read() as Buffer | null;
  }

  #take(count: number): boolean {
    const chunk = Buffer.from(shared.subarray(0, count));
    if (this.#receive === undefined) return this.socket.push(chunk);
    this.#receive(chunk);
    return !this.socket.isPaused();
  }
}
