// The grammar of a handshake's headers. Node checks how a header is written, not what it says. Pure.

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const blank = "[ \\t]*";
const parameter = `${blank};${blank}${token}(?:=(?:${token}|"${token}"))?`;
const extension = `${token}(?:${parameter})*`;

/** RFC 6455 §9.1; a quoted value must be a token too. */
const extensionOffer = new RegExp(`^${blank}${extension}(?:${blank},${blank}${extension})*${blank}$`);
const subprotocol = new RegExp(`^${token}$`);
/** RFC 3986 §3.2.2 without the marks that no host's name has, and §3.2.3. */
const hostAndPort = /^(?:[A-Za-z0-9._~%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** Whether a `Host` names one host, and a port at most (RFC 9112 §3.2). */
export function isHostAndPort(value: string): boolean {
  return hostAndPort.test(value);
}

/** Whether `Sec-WebSocket-Extensions` is a list of extensions, known or not (RFC 6455 §9.1). */
export function isExtensionOffer(value: string): boolean {
  return extensionOffer.test(value);
}

/** Whether `Sec-WebSocket-Protocol` is a list of words, none of them twice (RFC 6455 §4.1, item 10). */
export function isSubprotocolOffer(value: string): boolean {
  const words = value.split(",").map((word) => word.trim());
  return words.every((word) => subprotocol.test(word)) && new Set(words).size === words.length;
}
