// What an HTTP answer in place of the upgrade means for a client, and what it says in words.
import type { CloseDuty } from "@sluice/protocol";

/** A handshake that was answered with a status other than 101. */
export interface HandshakeRefusal {
  readonly duty: CloseDuty;
  /** `the server refused the token: the token has expired (401)`. */
  readonly why: string;
  /** What `Retry-After` asks for, ms. */
  readonly retryAfterMs: number | undefined;
}

/** Most bytes of a refusal's body that are looked at. */
export const refusalBytesMax = 8_192;

const duties: Readonly<Record<number, CloseDuty>> = {
  401: "new-token",
  408: "reconnect",
  425: "reconnect",
  429: "reconnect",
};

/** `retryAfter` and `body` as they came. */
export function readHandshakeRefusal(status: number, retryAfter: string | undefined, body: string): HandshakeRefusal {
  const duty = duties[status] ?? (status >= 500 ? "reconnect" : "stop");
  const detail = problemDetail(body);
  const what = status === 404 ? "there is no Sluice at this address" : (detail ?? "the server refused the connection");
  return { duty, why: `${what} (HTTP ${status})`, retryAfterMs: readRetryAfter(retryAfter) };
}

/** Seconds as in RFC 9110 §10.2.3; a date there is not worth the code. */
export function readRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined;
}

/** The detail, or else the title, of problem+json (RFC 9457); made harmless for a terminal. */
export function problemDetail(body: string): string | undefined {
  try {
    const value = JSON.parse(body) as unknown;
    if (typeof value !== "object" || value === null) return undefined;
    const { title, detail } = value as Readonly<Record<string, unknown>>;
    const words = typeof detail === "string" ? detail : title;
    return typeof words === "string" ? words.replace(/[\p{Cc}\p{Cf}]/gu, " ").slice(0, 500) : undefined;
  } catch {
    return undefined;
  }
}
