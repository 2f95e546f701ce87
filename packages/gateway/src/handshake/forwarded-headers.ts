// The headers that a backend gets, built from a list of those that may pass. Whatever names an identity, what `Connection`
// nominates (RFC 9110 §7.6.1), cookies, and everything nobody thought of do not.
import type { IncomingMessage } from "node:http";
import { traceHeaders } from "./trace-context.js";

/** What passes with a handshake. Its own headers are made anew. */
export const handshakeHeaders: ReadonlySet<string> = new Set(["user-agent", "accept-language"]);

/** What passes with a request, beside the CloudEvents headers `ce-*` (binary mode). */
export const httpHeaders: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-encoding",
  "content-length",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "last-event-id",
  "range",
  "user-agent",
]);

const cloudEventHeader = /^ce-[a-z0-9]+$/;

export interface ForwardedBy {
  /** Who the caller is, to the backend. */
  readonly clientAddress: string;
  readonly isTls: boolean;
  /** `Authorization` for the backend; undefined where none is needed. */
  readonly authorization: string | undefined;
}

/** The headers, names in lower case, without `host` and those of the handshake. */
export function forwardedHeaders(
  request: Pick<IncomingMessage, "headers">,
  allowed: ReadonlySet<string>,
  { clientAddress, isTls, authorization }: ForwardedBy,
): Record<string, string> {
  const { headers } = request;
  const nominated = new Set((headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  const forwarded: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const mayPass = allowed.has(name) || (allowed === httpHeaders && cloudEventHeader.test(name));
    if (!mayPass || nominated.has(name) || typeof value !== "string") continue;
    forwarded[name] = value;
  }
  return {
    ...forwarded,
    ...traceHeaders(nominated.has("traceparent") ? {} : headers),
    "x-forwarded-for": clientAddress,
    "x-forwarded-proto": isTls ? "https" : "http",
    ...(headers.host === undefined ? {} : { "x-forwarded-host": headers.host }),
    ...(authorization === undefined ? {} : { authorization }),
  };
}
