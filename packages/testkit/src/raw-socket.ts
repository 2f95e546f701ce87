// A TCP client that says whatever a test wants it to: broken handshakes, broken frames, half of either.
import { connect, type Socket } from "node:net";
import { deadlineMsDefault, within } from "./deadline.js";
import { opcodes, readFrame, type ReceivedFrame } from "./frame-bytes.js";

/** The head of an HTTP response, and its body as far as Content-Length says. */
export interface HttpHead {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface UpgradeLines {
  /** Default `GET /ws HTTP/1.1`. */
  readonly requestLine?: string;
  /** Headers instead of the usual ones; null leaves one out, a list sends it several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly token?: string;
}

const usualHeaders = {
  Host: "localhost",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};

/** The text of a handshake. */
export function upgradeRequest({ requestLine = "GET /ws HTTP/1.1", headers = {}, token }: UpgradeLines = {}): string {
  const all: Record<string, string | readonly string[] | null> = {
    ...usualHeaders,
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    (value === null ? [] : [value].flat()).map((text) => `${name}: ${text}\r\n`),
  );
  return `${requestLine}\r\n${lines.join("")}\r\n`;
}

const headEnd = "\r\n\r\n";

export class RawSocket implements AsyncDisposable {
  readonly socket: Socket;
  /** Resolves when the connection has ended in whatever way. */
  readonly closed: Promise<void>;
  #bytes: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#isClosed = true;
        this.#wake?.();
        resolve();
      });
    });
  }

  /** A TCP connection to where `url` points. */
  static async connect(url: string, localAddress?: string): Promise<RawSocket> {
    const { hostname, port } = new URL(url);
    const from = localAddress === undefined ? {} : { localAddress };
    const socket = connect({ host: hostname, port: Number(port), ...from });
    const raw = new RawSocket(socket);
    const connected = new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    await within("a TCP connection", connected);
    return raw;
  }

  /** A TCP connection whose WebSocket handshake was accepted. */
  static async upgraded(url: string, lines: UpgradeLines): Promise<RawSocket> {
    const raw = await RawSocket.connect(url);
    raw.send(upgradeRequest(lines));
    const { status, body } = await raw.head();
    if (status !== 101) throw new Error(`the handshake was answered with ${status}: ${body}`);
    return raw;
  }

  /** What has come and was not asked for yet. */
  get rest(): Buffer {
    return this.#bytes;
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** Ends the connection with a reset in place of a goodbye. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** The next HTTP response. */
  async head(deadlineMs: number = deadlineMsDefault): Promise<HttpHead> {
    return this.#read("the head of an HTTP response", deadlineMs, (bytes) => {
      const end = bytes.indexOf(headEnd);
      if (end === -1) return undefined;
      const [statusLine = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
      const headers = new Map(lines.map((line) => headerOf(line)));
      const bodyStart = end + headEnd.length;
      const bodyEnd = bodyStart + Number(headers.get("content-length") ?? 0);
      if (bytes.length < bodyEnd) return undefined;
      const body = bytes.subarray(bodyStart, bodyEnd).toString();
      return { value: { status: Number(statusLine.split(" ")[1]), headers, body }, rest: bytes.subarray(bodyEnd) };
    });
  }

  /** The next WebSocket frame. */
  async frame(deadlineMs: number = deadlineMsDefault): Promise<ReceivedFrame> {
    return this.#read("a WebSocket frame", deadlineMs, (bytes) => {
      const read = readFrame(bytes);
      return read === undefined ? undefined : { value: read.frame, rest: read.rest };
    });
  }

  /** Code and reason of the server's close frame; frames before it are passed over. */
  async closeFrame(deadlineMs: number = deadlineMsDefault): Promise<{ code: number; reason: string }> {
    const endMs = performance.now() + deadlineMs;
    for (;;) {
      const { opcode, payload } = await this.frame(endMs - performance.now());
      if (opcode === opcodes.close) return { code: payload.readUInt16BE(), reason: payload.subarray(2).toString() };
    }
  }

  /** All bytes that have come and were not taken yet, as soon as they fit. */
  async until(what: string, fits: (bytes: Buffer) => boolean, deadlineMs: number = deadlineMsDefault): Promise<Buffer> {
    return this.#read(what, deadlineMs, (bytes) => {
      return fits(bytes) ? { value: bytes, rest: Buffer.alloc(0) } : undefined;
    });
  }

  async #read<T>(
    what: string,
    deadlineMs: number,
    parse: (bytes: Buffer) => { value: T; rest: Buffer } | undefined,
  ): Promise<T> {
    const arrival = async (): Promise<T> => {
      for (;;) {
        const read = parse(this.#bytes);
        if (read !== undefined) {
          this.#bytes = read.rest;
          return read.value;
        }
        if (this.#isClosed) throw new Error(`waited for ${what}; instead the connection ended after ${this.#shown()}`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    return within(what, arrival(), Math.max(1, deadlineMs), () => this.#shown());
  }

  #shown(): string {
    return JSON.stringify(this.#bytes.subarray(0, 200).toString("latin1"));
  }

  /** Cuts the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
