// Whose request it is: the peer's, or what proxies that are trusted say, read from the right.
import type { IncomingMessage } from "node:http";
import proxyAddr from "@fastify/proxy-addr";

/** Finds the address of the caller. */
export type ClientAddress = (request: IncomingMessage) => string;

const mapped = /^::ffff:(?=\d+\.)/i;

/** For these proxies: addresses and ranges; none = the peer is the caller, whatever `X-Forwarded-For` says. */
export function clientAddressBehind(trustedProxies: readonly string[]): ClientAddress {
  const peer = (request: IncomingMessage): string => (request.socket.remoteAddress ?? "").replace(mapped, "");
  if (trustedProxies.length === 0) return peer;
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  return (request) => proxyAddr(request, isTrusted).replace(mapped, "");
}

/** Whether a peer is one of these proxies. */
export function trustedPeers(trustedProxies: readonly string[]): (peer: string) => boolean {
  if (trustedProxies.length === 0) return () => false;
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  return (peer) => isTrusted(peer, 0);
}

const groups = 4;

/** What is counted as one caller: an IPv4 address, or the /64 of an IPv6 one, which is one line's to choose from. */
export function addressKey(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.split("%", 1)[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  return [...left, ...zeros, ...right].slice(0, groups).join(":");
}
