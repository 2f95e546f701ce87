// What the settings know of hosts, origins and URLs.
import { BlockList, isIP } from "node:net";

const hostname =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$/;
const origin = /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;
const urlLengthMax = 2_048;

const loopbacks = new BlockList();
loopbacks.addSubnet("127.0.0.0", 8, "ipv4");
loopbacks.addAddress("::1", "ipv6");

/** Whether `value` can be listened on: an IP address without brackets, or a host name (RFC 1123 §2.1). */
export function isHost(value: string): boolean {
  return isIP(value) !== 0 || hostname.test(value);
}

/** Whether `host` can only be reached from this machine: `127.0.0.0/8`, `::1`, `localhost`; IPv6 brackets allowed. */
export function isLoopback(host: string): boolean {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  const version = isIP(bare);
  if (version === 0) return bare.toLowerCase() === "localhost";
  return loopbacks.check(bare, version === 4 ? "ipv4" : "ipv6");
}

/** Whether `value` is an origin as browsers send it (RFC 6454 §6.2): scheme, host and port, lower case, nothing after. */
export function isOrigin(value: string): boolean {
  return origin.test(value) && value.length <= urlLengthMax;
}

/**
 * Whether tokens may be sent to, or trusted from, this URL: https, or http to a loopback host. No credentials in it
 * and no fragment.
 */
export function isTrustworthyUrl(value: string): boolean {
  if (value.length > urlLengthMax || !URL.canParse(value)) return false;
  const url = new URL(value);
  if (url.username !== "" || url.password !== "" || url.hash !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}

/** Whether `value` names a service behind the gateway: http or https, a host, at most a path; no credentials, no query. */
export function isUpstreamUrl(value: string): boolean {
  if (value.length > urlLengthMax || !URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return (protocol === "http:" || protocol === "https:") && `${username}${password}${search}${hash}` === "";
}

/** Whether `value` names a NATS server: `nats://host:port`, or `tls://…` to ask for TLS; the port may be left out. */
export function isNatsUrl(value: string): boolean {
  if (value.length > urlLengthMax || !URL.canParse(value)) return false;
  const { protocol, hostname: host, username, password, pathname, search, hash } = new URL(value);
  const rest = `${username}${password}${pathname === "/" ? "" : pathname}${search}${hash}`;
  return (protocol === "nats:" || protocol === "tls:") && host !== "" && rest === "";
}

/** Whether `value` is an IP address, or a range of them (RFC 4632 §3.1): `10.0.0.0/8`, `fd00::/8`. */
export function isAddressRange(value: string): boolean {
  const [address = "", bits, ...more] = value.split("/");
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^(?:0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** `isTrustworthyUrl` in words. */
export const trustworthyUrl = "an https URL, or http to a loopback host, without user, password or fragment";
