// The id of an event whose publisher gave none. `crypto.randomUUID` builds its string from twenty pieces that the first
// reader has to join: about 0.4 µs of the 3 µs that taking in an event costs; cutting ids out of one text costs 0.1.

const idLength = 36;
const idBytes = 16;
/** Asking for the random bytes of so many takes 5.2 µs, for those of a quarter 4.7. */
const idsPerPool = 256;

/** Where the two digits of each byte stand in `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` (RFC 9562 §4). */
const digitsAt = new Uint8Array([0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]);
const hyphen = 0x2d;

const hexDigits = new TextEncoder().encode("0123456789abcdef");
const ascii = new TextDecoder();

let pool = "";
let taken = 0;

/** A random UUID (version 4, RFC 9562 §5.4) from the runtime's cryptographic source. */
export function newEventId(): string {
  if (taken === pool.length) {
    pool = makePool();
    taken = 0;
  }
  taken += idLength;
  return pool.slice(taken - idLength, taken);
}

function makePool(): string {
  const random = crypto.getRandomValues(new Uint8Array(idsPerPool * idBytes));
  const text = new Uint8Array(idsPerPool * idLength).fill(hyphen);
  for (let id = 0; id < idsPerPool; id += 1) {
    for (let position = 0; position < idBytes; position += 1) {
      const byte = withVersion(random[id * idBytes + position] ?? 0, position);
      const at = id * idLength + (digitsAt[position] ?? 0);
      text[at] = hexDigits[byte >> 4] ?? 0;
      text[at + 1] = hexDigits[byte & 0x0f] ?? 0;
    }
  }
  return ascii.decode(text);
}

function withVersion(byte: number, position: number): number {
  if (position === 6) return (byte & 0x0f) | 0x40;
  if (position === 8) return (byte & 0x3f) | 0x80;
  return byte;
}
