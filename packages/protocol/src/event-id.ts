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

/** The two digits of each byte. */
const digitPairs = new Uint16Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  digitPairs[byte] = ((hexDigits[byte >> 4] ?? 0) << 8) | (hexDigits[byte & 0x0f] ?? 0);
}

/** Ids as text, and how much of it is used up. */
const pool = new Uint8Array(idsPerPool * idLength).fill(hyphen);
let taken = pool.length;
/** The same as a string, while strings are asked for. */
let poolText = "";

/** Bytes of an id in UTF-8. */
export const newEventIdBytes = idLength;

/** A random UUID (version 4, RFC 9562 §5.4) from the runtime's cryptographic source. */
export function newEventId(): string {
  const start = takeId();
  if (poolText === "") poolText = ascii.decode(pool);
  return poolText.slice(start, start + idLength);
}

/** Writes such an id to `bytes` at `at`, as {@link newEventIdBytes} bytes of UTF-8. */
export function writeNewEventId(bytes: Uint8Array, at: number): void {
  const start = takeId();
  for (let index = 0; index < idLength; index += 1) bytes[at + index] = pool[start + index] ?? 0;
}

function takeId(): number {
  if (taken === pool.length) {
    fillPool();
    taken = 0;
  }
  taken += idLength;
  return taken - idLength;
}

function fillPool(): void {
  const random = crypto.getRandomValues(new Uint8Array(idsPerPool * idBytes));
  for (let id = 0; id < idsPerPool; id += 1) {
    const source = id * idBytes;
    random[source + 6] = ((random[source + 6] ?? 0) & 0x0f) | 0x40;
    random[source + 8] = ((random[source + 8] ?? 0) & 0x3f) | 0x80;
    for (let position = 0; position < idBytes; position += 1) {
      const digits = digitPairs[random[source + position] ?? 0] ?? 0;
      const at = id * idLength + (digitsAt[position] ?? 0);
      pool[at] = digits >> 8;
      pool[at + 1] = digits & 0xff;
    }
  }
  poolText = "";
}
