// Where a request carries its token (protocol §1). Pure; verifies nothing.
import type { IncomingMessage } from "node:http";

/** A place in a request that may hold a token. */
export type TokenPlace = "authorization" | "subprotocol" | "query";

/** What a request brings to show who sent it. */
export type FoundToken =
  | { readonly kind: "token"; readonly token: string; readonly place: TokenPlace }
  | { readonly kind: "ticket"; readonly ticket: string }
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly reason: RefusedTokenReason };

/** Why a request is refused before its token is looked at; each is a reason of `authFailures`. */
type RefusedTokenReason = "more_than_one" | "malformed" | "place_not_allowed";

/** Which places count. */
export interface FindTokenOptions {
  /** Whether `?token=` is accepted (`auth.query_token`). When not, a request with one is refused. */
  readonly queryToken: boolean;
}

/** Prefix of the subprotocol that carries `base64url(token)`, as Kubernetes' API server defined it. */
const bearerSubprotocolPrefix = "base64url.bearer.authorization.k8s.io.";

/** Subprotocol whose next neighbour in the offer is the token itself. */
const bearerSubprotocol = "bearer";

/** Our own subprotocol; never taken for a token. */
const sluiceSubprotocol = "sluice.v1";

/**
 * Finds the one token or ticket of a request. Two of them, in two places or in one, are refused, and so is one that
 * can't be a token (RFC 6750 §2.1 `b64token`). An `Authorization` of another scheme than Bearer is not looked at.
 */
export function findToken(
  request: Pick<IncomingMessage, "headers" | "rawHeaders" | "url">,
  options: FindTokenOptions,
): FoundToken {
  const found: FoundToken[] = [
    ...inAuthorization(request.rawHeaders),
    ...inSubprotocols(offeredSubprotocols(request.headers)),
    ...inQuery(request.url ?? "", options),
  ];
  if (found.length > 1) return refused("more_than_one");
  return found[0] ?? { kind: "none" };
}

/** The subprotocols that a client offers, in its order (RFC 6455 §11.3.4; several headers count as one list). */
export function offeredSubprotocols(headers: IncomingMessage["headers"]): string[] {
  const offer = headers["sec-websocket-protocol"];
  if (offer === undefined) return [];
  return offer.split(",").map((item) => item.trim());
}

/**
 * The subprotocol to answer with; undefined = send no such header. `sluice.v1` if offered, else the bare word `bearer`
 * of the `bearer, <token>` form: a browser fails a connection whose offer is left unanswered (WHATWG WebSockets,
 * "establish a WebSocket connection"). What carries a token is never answered with.
 */
export function selectSubprotocol(offered: readonly string[]): "sluice.v1" | "bearer" | undefined {
  if (offered.includes(sluiceSubprotocol)) return sluiceSubprotocol;
  return offered.includes(bearerSubprotocol) ? bearerSubprotocol : undefined;
}

const bearerScheme = /^bearer(?:\s|$)/i;
const b64token = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Whether `text` can be a bearer token at all (RFC 6750 §2.1). */
export function isBearerToken(text: string): boolean {
  return b64token.test(text);
}

/** Raw headers, because Node keeps only the first of several `Authorization` headers. */
function inAuthorization(rawHeaders: readonly string[]): FoundToken[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === "authorization") values.push(rawHeaders[i + 1] ?? "");
  }
  if (values.length > 1) return [refused("more_than_one")];
  return values
    .filter((value) => bearerScheme.test(value))
    .map((value) => token(value.replace(bearerScheme, "").trim(), "authorization"));
}

function inSubprotocols(offered: readonly string[]): FoundToken[] {
  const found: FoundToken[] = [];
  for (const [index, item] of offered.entries()) {
    if (item.startsWith(bearerSubprotocolPrefix)) {
      found.push(token(decodeBase64url(item.slice(bearerSubprotocolPrefix.length)), "subprotocol"));
    } else if (item === bearerSubprotocol && offered[index - 1] !== bearerSubprotocol) {
      const next = offered[index + 1];
      found.push(next === undefined || next === sluiceSubprotocol ? refused("malformed") : token(next, "subprotocol"));
    }
  }
  return found;
}

function inQuery(url: string, options: FindTokenOptions): FoundToken[] {
  const start = url.indexOf("?");
  if (start === -1) return [];
  const query = new URLSearchParams(url.slice(start + 1));
  const tickets = query.getAll("ticket").map((ticket): FoundToken => {
    return isBearerToken(ticket) ? { kind: "ticket", ticket } : refused("malformed");
  });
  const tokens = query.getAll("token").map((text) => {
    return options.queryToken ? token(text, "query") : refused("place_not_allowed");
  });
  return [...tickets, ...tokens];
}

function token(text: string, place: TokenPlace): FoundToken {
  return isBearerToken(text) ? { kind: "token", token: text, place } : refused("malformed");
}

/** Strict base64url without padding (RFC 4648 §5); "" when it is anything else. */
function decodeBase64url(text: string): string {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes.toString("latin1") : "";
}

function refused(reason: RefusedTokenReason): FoundToken {
  return { kind: "refused", reason };
}
