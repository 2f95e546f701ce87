// A text frame of the gateway's own for a client (RFC 6455 §5.6): whole, unmasked, never compressed.
const finAndText = 0x81;
const shortLengthMax = 125;

/**
 * The bytes of one frame.
 * @throws {RangeError} for a payload over 125 bytes: the gateway says nothing that long.
 */
export function encodeTextFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length > shortLengthMax) throw new RangeError(`${payload.length} bytes are too many for a short frame`);
  return Buffer.concat([Buffer.from([finAndText, payload.length]), payload]);
}
