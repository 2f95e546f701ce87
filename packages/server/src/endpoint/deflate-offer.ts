// Which offers of `permessage-deflate` can be taken. One that can't is declined, which is not to refuse the handshake
// (RFC 7692 §5.1, §7.1). Pure.

const deflate = "permessage-deflate";
/** Events are compressed once for all, with a window of 12 bits; a smaller one can't be promised. */
const ourBits = /^1[2-5]$/;
const bits = /^(?:[89]|1[0-5])$/;

/**
 * The offers of a `Sec-WebSocket-Extensions` that is well-formed, without those that can't be taken; undefined when
 * none is left.
 */
export function acceptableOffers(header: string | undefined): string | undefined {
  const offers = (header ?? "").split(",").map((offer) => offer.trim());
  const acceptable = offers.filter((offer) => isAcceptable(offer));
  return acceptable.length === 0 ? undefined : acceptable.join(", ");
}

function isAcceptable(offer: string): boolean {
  const [name, ...parameters] = offer.split(";").map((part) => part.trim());
  if (name !== deflate) return false;
  const names = parameters.map((parameter) => parameter.split("=")[0]);
  return new Set(names).size === names.length && parameters.every((parameter) => isKnown(parameter));
}

function isKnown(parameter: string): boolean {
  const [name, quoted] = parameter.split("=");
  const value = quoted?.replace(/^"(.*)"$/, "$1");
  switch (name) {
    case "server_no_context_takeover":
    case "client_no_context_takeover":
      return value === undefined;
    case "client_max_window_bits":
      return value === undefined || bits.test(value);
    case "server_max_window_bits":
      return value !== undefined && ourBits.test(value);
    default:
      return false;
  }
}
