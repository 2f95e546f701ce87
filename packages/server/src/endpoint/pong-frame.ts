// The answer to a heartbeat (protocol §2) as it stands in a frame, known by its bytes.

const text = Buffer.from('{"type":"pong"}');
const finText = 0x81;
const masked = 0x80;
const headerBytes = 2;
const maskBytes = 4;
const textAt = headerBytes + maskBytes;

/** Bytes of the command's text. */
export const pongTextBytes = text.length;

/**
 * Whether the first `count` bytes are one whole frame and nothing else, with the text `{"type":"pong"}`, masked as a
 * client's must be, not compressed (RFC 6455 §5.2). What is written otherwise, or brings a timestamp, is a command.
 */
export function isPongFrame(chunk: Uint8Array, count = chunk.length): boolean {
  if (count !== textAt + text.length || chunk[0] !== finText || chunk[1] !== (masked | text.length)) return false;
  for (let at = 0; at < text.length; at += 1) {
    const unmasked = (chunk[textAt + at] as number) ^ (chunk[headerBytes + (at % maskBytes)] as number);
    if (unmasked !== text[at]) return false;
  }
  return true;
}
