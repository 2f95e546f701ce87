// A WebSocket to a backend: asked for by Node's HTTP client, believed only after every word of the answer was checked.
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { BackendSocket } from "../tunnel/backend-socket.js";
import { acceptFor, newWebSocketKey } from "./websocket-accept.js";

/** What is asked of a backend. */
export interface DialRequest {
  readonly url: URL;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Subprotocols to offer; what carried a token is not among them. */
  readonly subprotocols: readonly string[];
  /** The client's offer of extensions, as it wrote it. */
  readonly extensions: string | undefined;
  readonly keepaliveMs: number;
  /** Ends the try. */
  readonly signal: AbortSignal;
}

/** Why a backend is of no use for this handshake: not reached, too late, or no WebSocket although it said so. */
export type DialFailure = "connect" | "timeout" | "protocol" | "unavailable";

/** What came of it. */
export type DialOutcome =
  | {
      readonly kind: "open";
      readonly backend: BackendSocket;
      readonly head: Buffer;
      readonly subprotocol: string | undefined;
      readonly extensions: string | undefined;
    }
  /** It answered, and meant this caller: another backend would say the same. */
  | { readonly kind: "refused"; readonly status: 400 | 401 | 403 | 404 | 429 }
  | { readonly kind: "failed"; readonly failure: DialFailure };

const refusals: ReadonlySet<number> = new Set([400, 401, 403, 404, 429]);
const serverErrorMin = 500;

/** A `close` follows. Not written where it is used: it would keep all that is in scope there as long as the tunnel lives. */
function ignoreError(): void {}

/** Dials. Never rejects. A socket that is handed out has an `error` listener. */
export function dialBackend(dial: DialRequest): Promise<DialOutcome> {
  const key = newWebSocketKey();
  return new Promise((resolve) => {
    const backend = new BackendSocket({ url: dial.url, keepaliveMs: dial.keepaliveMs });
    backend.socket.on("error", ignoreError);
    const settle = (outcome: DialOutcome): void => {
      dial.signal.removeEventListener("abort", late);
      if (outcome.kind !== "open") backend.socket.destroy();
      resolve(outcome);
    };
    const fail = (failure: DialFailure): void => settle({ kind: "failed", failure });
    const late = (): void => fail("timeout");
    if (dial.signal.aborted) return late();
    dial.signal.addEventListener("abort", late);
    const request = send(dial, key, backend);
    request.on("error", () => fail("connect"));
    request.on("response", (response) => settle(judgeRefusal(response.statusCode ?? 0)));
    // A 101 that switches to nothing.
    request.on("information", ({ statusCode }) => statusCode === 101 && fail("protocol"));
    request.on("upgrade", (response, _socket, head) => {
      const agreed = judgeAnswer(response, key, dial);
      settle(
        agreed === undefined ? { kind: "failed", failure: "protocol" } : { kind: "open", backend, head, ...agreed },
      );
    });
    request.end();
  });
}

function send(
  { url, target, headers, subprotocols, extensions }: DialRequest,
  key: string,
  backend: BackendSocket,
): ClientRequest {
  return httpRequest({
    createConnection: () => backend.socket,
    method: "GET",
    path: target,
    headers: {
      host: url.host,
      ...headers,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": key,
      ...(subprotocols.length === 0 ? {} : { "sec-websocket-protocol": subprotocols.join(", ") }),
      ...(extensions === undefined ? {} : { "sec-websocket-extensions": extensions }),
    },
  });
}

function judgeRefusal(status: number): DialOutcome {
  if (refusals.has(status)) return { kind: "refused", status: status as 400 };
  return { kind: "failed", failure: status >= serverErrorMin ? "unavailable" : "protocol" };
}

/** RFC 6455 §4.1, what a client must check, item by item; undefined where one is wrong. */
function judgeAnswer(
  response: IncomingMessage,
  key: string,
  { subprotocols, extensions: offered }: DialRequest,
): { subprotocol: string | undefined; extensions: string | undefined } | undefined {
  const { headers, statusCode } = response;
  const words = (headers.connection ?? "").split(",").map((word) => word.trim().toLowerCase());
  if (statusCode !== 101 || headers.upgrade?.toLowerCase() !== "websocket" || !words.includes("upgrade"))
    return undefined;
  if (headers["sec-websocket-accept"] !== acceptFor(key)) return undefined;
  const subprotocol = headers["sec-websocket-protocol"];
  if (subprotocol !== undefined && !subprotocols.includes(subprotocol)) return undefined;
  const extensions = headers["sec-websocket-extensions"];
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
