// RFC 6455 frames made by hand, right or wrong.
import { randomBytes } from "node:crypto";

export const opcodes = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

export interface FrameBytesOptions {
  readonly opcode?: number;
  readonly payload?: Uint8Array | string;
  /** Default true. */
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7; RSV1 is 4. */
  readonly rsv?: number;
  /** Default true, as a client must. */
  readonly masked?: boolean;
  /** The length that the header claims, where it isn't the payload's. */
  readonly claimedLength?: number;
}

function lengthBytes(length: number, maskBit: number): Buffer {
  if (length < 126) return Buffer.from([maskBit | length]);
  if (length <= 0xffff) {
    const header = Buffer.from([maskBit | 126, 0, 0]);
    header.writeUInt16BE(length, 1);
    return header;
  }
  const header = Buffer.alloc(9);
  header[0] = maskBit | 127;
  header.writeBigUInt64BE(BigInt(length), 1);
  return header;
}

/** The bytes of one frame as a client sends it. */
export function frameBytes(options: FrameBytesOptions = {}): Buffer {
  const { opcode = opcodes.text, fin = true, rsv = 0, masked = true } = options;
  const payload = Buffer.from(options.payload ?? "");
  const first = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]);
  const header = Buffer.concat([first, lengthBytes(options.claimedLength ?? payload.length, masked ? 0x80 : 0)]);
  if (!masked) return Buffer.concat([header, payload]);
  const mask = randomBytes(4);
  const hidden = payload.map((byte, index) => byte ^ (mask[index % 4] as number));
  return Buffer.concat([header, mask, hidden]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason = ""): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return payload;
}

/** A frame as a server sends it. */
export interface ReceivedFrame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The first whole frame of `bytes` and what follows it; undefined until there is one. */
export function readFrame(bytes: Buffer): { frame: ReceivedFrame; rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined;
  const [first, second] = [bytes[0] as number, bytes[1] as number];
  let length = second & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return undefined;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return undefined;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (bytes.length < at + length) return undefined;
  const frame = {
    fin: (first & 0x80) !== 0,
    rsv: (first >> 4) & 7,
    opcode: first & 0xf,
    payload: bytes.subarray(at, at + length),
  };
  return { frame, rest: bytes.subarray(at + length) };
}
