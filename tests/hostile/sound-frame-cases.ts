// Frames that are odd and right, byte for byte, each with its clause.
import { closePayload, frameBytes, opcodes, type FrameBytesOptions } from "@sluice/testkit";
import { goodText } from "./utf8-cases.js";

/** Bytes that break none, and the messages that are answered; after them the connection takes a command as before. */
export interface SoundCase {
  readonly name: string;
  readonly because: string;
  /** Sent one after the other, apart on the wire where there are several. */
  readonly chunks: readonly Buffer[];
  /** Opcode and payload of each answer; text answers by a part of them. */
  readonly answers: readonly (readonly [opcode: number, payload: string])[];
}

const { continuation, text, close, ping, pong } = opcodes;
const command = '{"type":"ping","timestamp":1}';
const answered = '"type":"pong","timestamp":1';

function bytesOf(frames: readonly (FrameBytesOptions | Buffer)[]): Buffer {
  return Buffer.concat(frames.map((frame) => (Buffer.isBuffer(frame) ? frame : frameBytes(frame))));
}

const whole = frameBytes({ payload: command });
const inTwo = [
  { fin: false, payload: command.slice(0, 9) },
  { opcode: continuation, payload: command.slice(9) },
] as const;
const pingPong = [text, answered] as const;
const invalid = [text, "INVALID_MESSAGE"] as const;

type SoundRow = readonly [name: string, because: string, chunks: readonly Buffer[], answers: SoundCase["answers"]];
const sound: readonly SoundRow[] = [
  ["a ping", "RFC 6455 §5.5.2", [frameBytes({ opcode: ping, payload: "hello" })], [[pong, "hello"]]],
  ["an empty ping", "RFC 6455 §5.5.2", [frameBytes({ opcode: ping })], [[pong, ""]]],
  [
    "a ping of 125 bytes",
    "RFC 6455 §5.5",
    [frameBytes({ opcode: ping, payload: "p".repeat(125) })],
    [[pong, "p".repeat(125)]],
  ],
  [
    "a ping of any bytes",
    "RFC 6455 §5.5.2",
    [frameBytes({ opcode: ping, payload: Buffer.from([0, 0x7f, 1]) })],
    [[pong, "\0\x7f\x01"]],
  ],
  [
    "ten pings at once",
    "RFC 6455 §5.5.3",
    [bytesOf(Array.from({ length: 10 }, (_, n) => ({ opcode: ping, payload: String(n) })))],
    Array.from({ length: 10 }, (_, n) => [pong, String(n)] as const),
  ],
  ["a pong that nobody asked for", "RFC 6455 §5.5.3", [frameBytes({ opcode: pong, payload: "x" })], []],
  [
    "a pong, then a ping",
    "RFC 6455 §5.5.3",
    [
      bytesOf([
        { opcode: pong, payload: "x" },
        { opcode: ping, payload: "y" },
      ]),
    ],
    [[pong, "y"]],
  ],
  ["a message in two fragments", "RFC 6455 §5.4", [bytesOf(inTwo)], [pingPong]],
  [
    "a ping within a message",
    "RFC 6455 §5.4",
    [bytesOf([inTwo[0], { opcode: ping, payload: "in" }, inTwo[1]])],
    [[pong, "in"], pingPong],
  ],
  [
    "three pings within a message",
    "RFC 6455 §5.4",
    [
      bytesOf([
        inTwo[0],
        { opcode: ping, payload: "1" },
        { opcode: ping, payload: "2" },
        { opcode: ping, payload: "3" },
        inTwo[1],
      ]),
    ],
    [[pong, "1"], [pong, "2"], [pong, "3"], pingPong],
  ],
  [
    "an empty first fragment",
    "RFC 6455 §5.4",
    [bytesOf([{ fin: false }, { opcode: continuation, payload: command }])],
    [pingPong],
  ],
  [
    "an empty last fragment",
    "RFC 6455 §5.4",
    [bytesOf([{ fin: false, payload: command }, { opcode: continuation }])],
    [pingPong],
  ],
  [
    "16 fragments, most of them empty",
    "at most 16",
    [
      bytesOf([
        { fin: false, payload: command },
        ...Array.from({ length: 14 }, () => ({ opcode: continuation, fin: false })),
        { opcode: continuation },
      ]),
    ],
    [pingPong],
  ],
  [
    "a mask of zeros",
    "RFC 6455 §5.3",
    [Buffer.concat([Buffer.from([0x81, 0x80 | command.length, 0, 0, 0, 0]), Buffer.from(command)])],
    [pingPong],
  ],
  ["a frame byte by byte", "RFC 6455 §5.4", [...whole].map((byte) => Buffer.from([byte])), [pingPong]],
  ["two frames in one write", "RFC 6455 §5.4", [Buffer.concat([whole, whole])], [pingPong, pingPong]],
  [
    "a frame and a half, then the rest",
    "RFC 6455 §5.4",
    [Buffer.concat([whole, whole.subarray(0, 9)]), whole.subarray(9)],
    [pingPong, pingPong],
  ],
  ["a header cut in its length", "RFC 6455 §5.2", cutAt(frameBytes({ payload: padded(300) }), 3), [pingPong]],
  ["a header cut in its mask", "RFC 6455 §5.2", cutAt(frameBytes({ payload: padded(300) }), 6), [pingPong]],
  ...[125, 126, 127, 128, 65_535, 65_536].map((bytes): SoundRow => [
    `a message of ${bytes} bytes`,
    "RFC 6455 §5.2",
    [frameBytes({ payload: padded(bytes) })],
    [pingPong],
  ]),
  ["an empty message", "protocol §7", [frameBytes()], [invalid]],
  ["an empty message in fragments", "RFC 6455 §5.4", [bytesOf([{ fin: false }, { opcode: continuation }])], [invalid]],
  ...goodText.map(([name, hex]): SoundRow => [
    name,
    "RFC 3629 §3",
    [frameBytes({ payload: Buffer.from(hex, "hex") })],
    [invalid],
  ]),
  [
    "a character cut by fragments",
    "RFC 6455 §5.6",
    [
      bytesOf([
        { fin: false, payload: Buffer.from([0xe2, 0x82]) },
        { opcode: continuation, payload: Buffer.from([0xac]) },
      ]),
    ],
    [invalid],
  ],
  [
    "a character byte by byte in fragments",
    "RFC 6455 §5.6",
    [
      bytesOf([
        { fin: false, payload: Buffer.from([0xf0]) },
        { opcode: continuation, fin: false, payload: Buffer.from([0x9f]) },
        { opcode: continuation, fin: false, payload: Buffer.from([0xa6]) },
        { opcode: continuation, payload: Buffer.from([0x86]) },
      ]),
    ],
    [invalid],
  ],
];

/** Frames that change nothing for the connection. */
export const soundFrames: readonly SoundCase[] = sound.map(([name, because, chunks, answers]) => ({
  name,
  because,
  chunks,
  answers,
}));

/** Closes that are in order: what is sent, and the code that comes back. 1005 = a close without a code. */
export const soundCloses: readonly (readonly [
  name: string,
  because: string,
  bytes: Buffer,
  code: readonly number[],
])[] = [
  ["without a code", "RFC 6455 §5.5.1", frameBytes({ opcode: close }), [1000, 1005]],
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map(
    (code) =>
      [
        `code ${code}`,
        "RFC 6455 §7.4",
        frameBytes({ opcode: close, payload: closePayload(code) }),
        [code, 1000],
      ] as const,
  ),
  ["a reason", "RFC 6455 §7.1.6", frameBytes({ opcode: close, payload: closePayload(1000, "bye") }), [1000]],
  [
    "a reason of 123 bytes",
    "RFC 6455 §5.5",
    frameBytes({ opcode: close, payload: closePayload(1000, "x".repeat(123)) }),
    [1000],
  ],
  [
    "a reason beyond ASCII",
    "RFC 6455 §7.1.6",
    frameBytes({ opcode: close, payload: closePayload(1000, "tschüß 🦆") }),
    [1000],
  ],
  [
    "in the middle of a message",
    "RFC 6455 §5.4",
    bytesOf([
      { fin: false, payload: "{" },
      { opcode: close, payload: closePayload(1000) },
    ]),
    [1000],
  ],
  [
    "with a command behind it",
    "RFC 6455 §5.5.1",
    bytesOf([{ opcode: close, payload: closePayload(1000) }, { payload: command }]),
    [1000],
  ],
  [
    "with a ping behind it",
    "RFC 6455 §5.5.1",
    bytesOf([
      { opcode: close, payload: closePayload(1000) },
      { opcode: ping, payload: "x" },
    ]),
    [1000],
  ],
  [
    "with bad bytes behind it",
    "RFC 6455 §5.5.1",
    bytesOf([{ opcode: close, payload: closePayload(1000) }, Buffer.alloc(64, 0xff)]),
    [1000],
  ],
  [
    "twice",
    "RFC 6455 §5.5.1",
    bytesOf([
      { opcode: close, payload: closePayload(1000) },
      { opcode: close, payload: closePayload(1001) },
    ]),
    [1000],
  ],
];

/** The command with so much within that it is this long. */
function padded(bytes: number): string {
  const empty = '{"type":"ping","timestamp":1,"pad":""}';
  return empty.replace('""', `"${"x".repeat(bytes - empty.length)}"`);
}

function cutAt(frame: Buffer, at: number): Buffer[] {
  return [frame.subarray(0, at), frame.subarray(at)];
}
