// Whose request it is: the peer's, or what proxies that are trusted say, read from the right.
import type { IncomingMessage } from "node:http";
import { isIPv4, isIPv6 } from "node:net";
import proxyAddr from "@fastify/proxy-addr";

/** Finds the address of the caller. */
export type ClientAddress = (request: IncomingMessage) => string;

const bitsOfGroup = 8;
const byteMax = 0xff;
/** An address with a port, or an IPv6 one in brackets with or without; what proxies write (RFC 7239 §6). */
const withPort = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/;
/** An IPv4 address in an IPv6 one (RFC 4291 §2.5.5.2), as `URL` writes it. */
const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * The one spelling of an address, IPv6 as RFC 5952 has it, an IPv4 address in it as IPv4, without port, brackets and zone;
 * undefined for anything else.
 */
function canonicalAddress(text: string): string | undefined {
  const [, bracketed, dotted] = withPort.exec(text) ?? [];
  const address = bracketed ?? dotted ?? text;
  if (isIPv4(address)) return bracketed === undefined ? address : undefined;
  if (!isIPv6(address)) return undefined;
  const written = new URL(`http://[${address.split("%", 1)[0]}]/`).hostname.slice(1, -1);
  const match = mapped.exec(written);
  if (match === null) return written;
  const halves = [match[1], match[2]].map((half) => Number.parseInt(half ?? "", 16));
  return halves.flatMap((half) => [half >> bitsOfGroup, half & byteMax]).join(".");
}

/**
 * For these proxies: addresses and ranges; none = the peer is the caller, whatever `X-Forwarded-For` says. Where a proxy that
 * is trusted names something that is no address, it is the caller itself: there is nothing else that is known of it.
 */
export function clientAddressBehind(trustedProxies: readonly string[]): ClientAddress {
  const peerOf = ({ socket: { remoteAddress = "" } }: IncomingMessage): string =>
    canonicalAddress(remoteAddress) ?? remoteAddress;
  if (trustedProxies.length === 0) return peerOf;
  const isTrusted = trustedPeers(trustedProxies);
  return (request) => {
    let address = peerOf(request);
    // Node has joined several headers of the name.
    const chain = String(request.headers["x-forwarded-for"] ?? "").split(",");
    for (const said of chain.reverse().map((item) => item.trim())) {
      if (!isTrusted(address)) break;
      if (said === "") continue;
      const before = canonicalAddress(said);
      if (before === undefined) break;
      address = before;
    }
    return address;
  };
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
  const written = canonicalAddress(address) ?? address;
  if (!written.includes(":")) return written;
  const [head = "", tail = ""] = written.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  return [...left, ...zeros, ...right].slice(0, groups).join(":");
}
