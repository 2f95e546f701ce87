// A WebSocket to a backend: asked for, and believed only after every word of the answer was checked.
import type { BackendReceiver } from "../tunnel/backend-socket.js";
import { BackendSocket } from "../tunnel/backend-socket.js";
import { type AnswerHead, readAnswerHead } from "./answer-head.js";
import type { HandshakeDeadline } from "./handshake-deadline.js";
import { acceptFor, newWebSocketKey } from "./websocket-accept.js";

/** What is asked of a backend. */
export interface DialRequest {
  readonly url: URL;
  readonly target: string;
  /** Names in lower case; values as Node's parser lets them through, so without CR, LF or NUL. */
  readonly headers: Readonly<Record<string, string>>;
  /** Subprotocols to offer; what carried a token is not among them. */
  readonly subprotocols: readonly string[];
  /** The client's offer of extensions, as it wrote it. */
  readonly extensions: string | undefined;
  readonly keepaliveMs: number;
  /** Ends the try. */
  readonly deadline: HandshakeDeadline;
}

/** Why a backend is of no use for this handshake: not reached, too late, or no WebSocket although it said so. */
export type DialFailure = "connect" | "timeout" | "protocol" | "unavailable";

/** What came of it. */
export type DialOutcome =
  | {
      readonly kind: "open";
      /** Paused. */
      readonly backend: BackendSocket;
      readonly head: Buffer;
      readonly subprotocol: string | undefined;
      readonly extensions: string | undefined;
    }
  /** It answered, and meant this caller: another backend would say the same. */
  | { readonly kind: "refused"; readonly status: 400 | 401 | 403 | 404 | 429 }
  | { readonly kind: "failed"; readonly failure: DialFailure };

const lineBreak = /[\r\n\0]/;
const refusals: ReadonlySet<number> = new Set([400, 401, 403, 404, 429]);
/** What it was sent is too long for it (RFC 9110 §15.5, RFC 6585 §5): the caller's doing, and no fault of the backend. */
const tooLong: ReadonlySet<number> = new Set([413, 414, 431]);
const switching = 101;
const finalMin = 200;
const serverErrorMin = 500;

/** A `close` follows. Not written where it is used: it would keep all that is in scope there as long as the tunnel lives. */
function ignoreError(): void {}

/**
 * Dials. A socket that is handed out has an `error` listener.
 * @throws {Error} when what is to be sent would break the head: nothing is dialled then.
 */
export function dialBackend(dial: DialRequest): Promise<DialOutcome> {
  const key = newWebSocketKey();
  const head = requestHead(dial, key);
  return new Promise((resolve) => new Dial(dial, key, resolve).begin(head));
}

/** One try at one backend; gone when it is settled. */
class Dial implements BackendReceiver {
  readonly #dial: DialRequest;
  readonly #key: string;
  readonly #backend: BackendSocket;
  readonly #resolve: (outcome: DialOutcome) => void;
  #received: Buffer | undefined;
  #isSettled = false;

  constructor(dial: DialRequest, key: string, resolve: (outcome: DialOutcome) => void) {
    this.#dial = dial;
    this.#key = key;
    this.#resolve = resolve;
    this.#backend = new BackendSocket(dial, this);
  }

  begin(head: string): void {
    const { socket } = this.#backend;
    socket.on("error", ignoreError);
    socket.on("close", this.#lost);
    // A FIN in the middle of a head; what it answered whole was settled before.
    socket.on("end", this.#lost);
    if (this.#dial.deadline.isPast) return this.#late();
    this.#dial.deadline.whenPast(this.#late);
    // Node keeps it until the connection stands.
    socket.write(head, "latin1");
  }

  receive(chunk: Buffer): void {
    if (this.#isSettled) return;
    this.#received = Buffer.concat([this.#received ?? Buffer.alloc(0), chunk]);
    for (;;) {
      const head = readAnswerHead(this.#received);
      if (head === "partial") return;
      if (head === "broken") return this.#fail("protocol");
      this.#received = this.#received.subarray(head.bytes);
      if (head.status === switching) return this.#judge(head, this.#received);
      if (head.status >= finalMin) return this.#settle(judgeRefusal(head.status));
      // 100, 102, 103: the answer itself comes behind it. All of them together are bounded by the deadline.
    }
  }

  #judge(answer: AnswerHead, behind: Buffer): void {
    const agreed = judgeAnswer(answer, this.#key, this.#dial);
    if (agreed === undefined) return this.#fail("protocol");
    this.#backend.socket.pause();
    this.#settle({ kind: "open", backend: this.#backend, head: behind, ...agreed });
  }

  readonly #late = (): void => this.#fail("timeout");

  readonly #lost = (): void => this.#fail(this.#received === undefined ? "connect" : "protocol");

  #fail(failure: DialFailure): void {
    this.#settle({ kind: "failed", failure });
  }

  #settle(outcome: DialOutcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#received = undefined;
    this.#dial.deadline.whenPast(undefined);
    const { socket } = this.#backend;
    socket.off("close", this.#lost);
    socket.off("end", this.#lost);
    if (outcome.kind !== "open") socket.destroy();
    this.#resolve(outcome);
  }
}

function requestHead({ url, target, headers, subprotocols, extensions }: DialRequest, key: string): string {
  const lines = [`GET ${target} HTTP/1.1`, `host: ${url.host}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  lines.push("connection: Upgrade", "upgrade: websocket", "sec-websocket-version: 13", `sec-websocket-key: ${key}`);
  if (subprotocols.length > 0) lines.push(`sec-websocket-protocol: ${subprotocols.join(", ")}`);
  if (extensions !== undefined) lines.push(`sec-websocket-extensions: ${extensions}`);
  // Node's parser let none of it in; a token or a name that came another way must not bring one either.
  if (lines.some((line) => lineBreak.test(line))) throw new Error("a line break in the head of a handshake");
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function judgeRefusal(status: number): DialOutcome {
  if (refusals.has(status)) return { kind: "refused", status: status as 400 };
  if (tooLong.has(status)) return { kind: "refused", status: 400 };
  return { kind: "failed", failure: status >= serverErrorMin ? "unavailable" : "protocol" };
}

/** RFC 6455 §4.1, what a client must check, item by item; undefined where one is wrong. */
function judgeAnswer(
  { headers }: AnswerHead,
  key: string,
  { subprotocols, extensions: offered }: DialRequest,
): { subprotocol: string | undefined; extensions: string | undefined } | undefined {
  const words = (headers.get("connection") ?? "").split(",").map((word) => word.trim().toLowerCase());
  if (headers.get("upgrade")?.toLowerCase() !== "websocket" || !words.includes("upgrade")) return undefined;
  if (headers.get("sec-websocket-accept") !== acceptFor(key)) return undefined;
  // A switch of protocols has no body (RFC 9110 §6.4.1): whoever announces one means another message than we do.
  if (headers.has("content-length") || headers.has("transfer-encoding")) return undefined;
  const subprotocol = headers.get("sec-websocket-protocol");
  if (subprotocol !== undefined && !subprotocols.includes(subprotocol)) return undefined;
  const extensions = headers.get("sec-websocket-extensions");
  if (extensions !== undefined) {
    const known = new Set(extensionNames(offered ?? ""));
    const answered = extensionNames(extensions);
    if (answered.some((name) => !known.has(name)) || new Set(answered).size !== answered.length) return undefined;
  }
  return { subprotocol, extensions };
}

/** `permessage-deflate; client_max_window_bits, x` → `permessage-deflate`, `x`. */
export function extensionNames(header: string): string[] {
  return header
    .split(",")
    .map((item) => (item.split(";", 1)[0] ?? "").trim().toLowerCase())
    .filter((name) => name !== "");
}
