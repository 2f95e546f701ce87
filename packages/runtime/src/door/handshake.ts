// What a WebSocket handshake must look like (RFC 6455 §4.2.1), checked before anything else is done with it. Stricter
// than `ws`, which lets several of these through. Pure.

import type { IncomingMessage } from "node:http";
import { isExtensionOffer, isHostAndPort, isSubprotocolOffer } from "./handshake-grammar.js";
import type { Problem } from "./problem.js";

/** Paths that take the upgrade (protocol §1). */
export const websocketPaths: ReadonlySet<string> = new Set(["/ws", "/api/v1/ws"]);

/** RFC 6455 §4.1: the only version there is. */
const version = "13";
/** RFC 6455 §4.1: 16 bytes in base64. */
const keyShape = /^[A-Za-z0-9+/]{22}==$/;
/** Node keeps the first 2,000 and forgets the others, a second `Host` with them; nobody needs a tenth of that. */
const headersMax = 200;
/** Headers that must come exactly once. */
const singleHeaders = ["host", "sec-websocket-key", "sec-websocket-version"] as const;

export type HandshakeRequest = Pick<IncomingMessage, "method" | "url" | "headers" | "rawHeaders" | "httpVersion">;

function countHeader(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) if (rawHeaders[index]?.toLowerCase() === name) count += 1;
  return count;
}

function hasToken(header: string | undefined, token: string): boolean {
  return header !== undefined && header.split(",").some((item) => item.trim().toLowerCase() === token);
}

function bad(detail: string, field?: string): Problem {
  return { name: "bad-request", detail, ...(field === undefined ? {} : { field }) };
}

/** RFC 6455 §4.2.2: what a handshake of another version, or none at all, is told. */
export function upgradeRequired(detail: string, field?: string): Problem {
  return {
    name: "upgrade-required",
    detail,
    ...(field === undefined ? {} : { field }),
    headers: { "sec-websocket-version": version, upgrade: "websocket" },
  };
}

/** The path of an origin-form target (RFC 9112 §3.2.1); undefined for any other form. */
export function pathOf(target: string | undefined): string | undefined {
  return target?.startsWith("/") === true ? target.split("?", 1)[0] : undefined;
}

/** What is wrong with the handshake; undefined when nothing is. */
export function handshakeProblem(request: HandshakeRequest): Problem | undefined {
  const { headers, rawHeaders } = request;
  if (rawHeaders.length > 2 * headersMax)
    return { name: "headers-too-large", detail: `A handshake may have ${headersMax} headers` };
  const path = pathOf(request.url);
  if (path === undefined) return bad("The request target must begin with /");
  // RFC 6455 §3: a fragment has no meaning here, and is never sent.
  if (request.url?.includes("#") === true) return bad("The request target must have no fragment");
  if (!websocketPaths.has(path))
    return { name: "not-found", detail: "There is no WebSocket at this path; it is at /ws" };
  if (request.method !== "GET") {
    return {
      name: "method-not-allowed",
      detail: "A WebSocket handshake is a GET",
      allowed: ["GET"],
      headers: { allow: "GET" },
    };
  }
  if (request.httpVersion !== "1.1") return bad("A WebSocket handshake needs HTTP/1.1");
  if (!hasToken(headers.upgrade, "websocket")) return bad("Upgrade must be websocket", "Upgrade");
  if (!hasToken(headers.connection, "upgrade")) return bad("Connection must name Upgrade", "Connection");
  if (headers["sec-websocket-version"] !== version) {
    return upgradeRequired(`Sec-WebSocket-Version must be ${version}`, "Sec-WebSocket-Version");
  }
  const doubled = singleHeaders.find((name) => countHeader(rawHeaders, name) !== 1);
  if (doubled !== undefined) return bad(`${doubled} must be given exactly once`, doubled);
  if (!keyShape.test(headers["sec-websocket-key"] ?? "")) {
    return bad("Sec-WebSocket-Key must be 16 bytes in base64", "Sec-WebSocket-Key");
  }
  return bodyProblem(headers) ?? grammarProblem(headers);
}

function bodyProblem(headers: HandshakeRequest["headers"]): Problem | undefined {
  if (headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined) {
    return bad("A WebSocket handshake has no body");
  }
  return undefined;
}

function grammarProblem(headers: HandshakeRequest["headers"]): Problem | undefined {
  if (!isHostAndPort(headers.host ?? "")) return bad("Host must name one host", "Host");
  const { "sec-websocket-extensions": extensions, "sec-websocket-protocol": subprotocols } = headers;
  if (extensions !== undefined && !isExtensionOffer(extensions)) {
    return bad("Sec-WebSocket-Extensions is not a list of extensions", "Sec-WebSocket-Extensions");
  }
  if (subprotocols !== undefined && !isSubprotocolOffer(subprotocols)) {
    return bad("Sec-WebSocket-Protocol must be a list of words, none twice", "Sec-WebSocket-Protocol");
  }
  return undefined;
}

/** Whether a browser's page of that origin may connect; `*` in the list allows any. No `Origin`, no browser. */
export function isOriginAllowed(origin: string | undefined, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes("*")) return true;
  const asked = origin.toLowerCase();
  return allowed.some((candidate) => candidate.toLowerCase().replace(/\/$/, "") === asked);
}
