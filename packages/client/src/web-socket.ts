// The one interface to a WebSocket, as browsers, Node 22 and the `ws` package have it, and the token in its subprotocol.
import { subprotocol } from "@sluice/protocol";

/**
 * What a WebSocket tells: a message, an error or its close. `ws` gives the `error` itself; a WebSocket of one's own may
 * put the `status` of a handshake that was refused on it, and `retryAfterMs`, which is obeyed.
 */
export interface SocketEvent {
  readonly data?: unknown;
  readonly message?: string;
  readonly error?: { readonly status?: number; readonly retryAfterMs?: number };
  readonly code?: number;
  readonly reason?: string;
}

/** What is used of a WebSocket. The last three are there with `ws` only. */
export interface WebSocketLike {
  readonly readyState: number;
  addEventListener(type: "message" | "error" | "close", listener: (event: SocketEvent) => void): void;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  /** Ends the connection without a goodbye. */
  terminate?(): void;
  /** Stops reading, so that TCP holds the server back. */
  pause?(): void;
  resume?(): void;
}

/** The global `WebSocket`, or that of the `ws` package. Listeners are left out: each words the types of its events anew. */
export type WebSocketConstructor = new (
  url: string,
  protocols: string[],
) => Pick<WebSocketLike, "readyState" | "send" | "close">;

/** `readyState` of a socket that can send. */
export const openState = 1;

/** Kubernetes' convention: a subprotocol that carries the token and is never answered (protocol.md §1). */
const bearerPrefix = "base64url.bearer.authorization.k8s.io.";

/** What to offer in `Sec-WebSocket-Protocol`. */
export function offeredProtocols(token: string | undefined): string[] {
  if (token === undefined) return [subprotocol];
  // A token is ASCII (RFC 6750 §2.1).
  return [subprotocol, bearerPrefix + btoa(token).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")];
}
