// What of a request and of an error may be logged. Fields are named here one by one; whatever else the object has, such
// as headers, query or a library's own fields, never gets as far as the log.
import { IncomingMessage, OutgoingMessage } from "node:http";
import { Socket } from "node:net";
import { scrubbed } from "./scrub.js";

/** What is logged of a request. */
export interface SafeRequest {
  readonly method: string | undefined;
  /** Without query and fragment; at most 256 characters. */
  readonly path: string | undefined;
  readonly remote_address: string | undefined;
  readonly user_id: string | undefined;
}

/** What is logged of an error, its causes included, four deep. */
export interface SafeError {
  readonly type: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
  readonly cause: SafeError | undefined;
}

const pathLengthMax = 256;
const messageLengthMax = 2_000;
const stackLengthMax = 8_000;
const causesMax = 4;

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textMember(value: unknown, name: string): string | undefined {
  const found = member(value, name);
  return typeof found === "string" ? found : undefined;
}

/** An absolute-form target (RFC 9112 §3.2.2) may hold credentials, so only a path is taken. */
function pathOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  return url.startsWith("/") ? (url.split(/[?#]/, 1)[0] ?? "").slice(0, pathLengthMax) : scrubbed;
}

/** The safe fields of a request of Node's or Fastify's, or of an object with the safe fields' own names. */
export function safeRequest(request: unknown): SafeRequest {
  return {
    method: textMember(request, "method"),
    path: pathOf(textMember(request, "path") ?? textMember(request, "url")),
    remote_address: textMember(request, "remote_address") ?? textMember(member(request, "socket"), "remoteAddress"),
    user_id: textMember(request, "user_id"),
  };
}

/** The safe fields of whatever was thrown. */
export function safeError(error: unknown, causes = causesMax): SafeError {
  if (!(error instanceof Error)) {
    const message =
      typeof error === "string" ? error.slice(0, messageLengthMax) : "something that is no Error was thrown";
    return { type: typeof error, message, code: undefined, stack: undefined, cause: undefined };
  }
  return {
    type: error.name,
    message: error.message.slice(0, messageLengthMax),
    code: textMember(error, "code"),
    stack: error.stack?.slice(0, stackLengthMax),
    cause: error.cause === undefined || causes === 0 ? undefined : safeError(error.cause, causes - 1),
  };
}

/** A value for a log line: requests and errors as their safe fields, replies and sockets not at all. */
export function safeValue(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof IncomingMessage) return safeRequest(value);
  if (value instanceof Error) return safeError(value);
  return value instanceof OutgoingMessage || value instanceof Socket || value instanceof Headers ? scrubbed : value;
}
