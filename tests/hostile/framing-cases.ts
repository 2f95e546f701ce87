// Frames that end a connection, byte for byte, each with the clause that it breaks.
import { closePayload, frameBytes, opcodes, type FrameBytesOptions } from "@sluice/testkit";
import { badText } from "./utf8-cases.js";

/** Bytes that break a rule, and the close that names it. */
export interface BrokenCase {
  readonly name: string;
  /** Clause or reason. */
  readonly because: string;
  readonly bytes: Buffer;
  /** Close codes that are right. */
  readonly codes: readonly number[];
}

type Frame = FrameBytesOptions;
type BrokenRow = readonly [
  name: string,
  because: string,
  frames: readonly (Frame | Buffer)[],
  codes: readonly number[],
];

const { continuation, text, binary, close, ping, pong } = opcodes;
const command = '{"type":"ping","timestamp":1}';
const protocolError = [1002];
const tooBig = [1009];
const notUtf8 = [1007];
const policy = [1008];
/** A length that no frame may claim is both. */
const badLength = [1002, 1009];

function bytesOf(frames: readonly (Frame | Buffer)[]): Buffer {
  return Buffer.concat(frames.map((frame) => (Buffer.isBuffer(frame) ? frame : frameBytes(frame))));
}

const reservedBits: readonly BrokenRow[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv): BrokenRow => [
    `reserved bits ${rsv} on text`,
    "RFC 6455 §5.2",
    [{ rsv, payload: command }],
    protocolError,
  ]),
  ...[1, 2, 4].map((rsv): BrokenRow => [
    `reserved bits ${rsv} on binary`,
    "RFC 6455 §5.2",
    [{ opcode: binary, rsv, payload: "x" }],
    protocolError,
  ]),
  ...[1, 2, 4].map((rsv): BrokenRow => [
    `reserved bits ${rsv} on a ping`,
    "RFC 6455 §5.2, RFC 7692 §6.1",
    [{ opcode: ping, rsv }],
    protocolError,
  ]),
  ...[1, 2, 4].map((rsv): BrokenRow => [
    `reserved bits ${rsv} on a pong`,
    "RFC 6455 §5.2, RFC 7692 §6.1",
    [{ opcode: pong, rsv }],
    protocolError,
  ]),
  ...[1, 2, 4].map((rsv): BrokenRow => [
    `reserved bits ${rsv} on a close`,
    "RFC 6455 §5.2, RFC 7692 §6.1",
    [{ opcode: close, rsv, payload: closePayload(1000) }],
    protocolError,
  ]),
  ...[1, 2, 4].map((rsv): BrokenRow => [
    `reserved bits ${rsv} on a continuation`,
    "RFC 6455 §5.2, RFC 7692 §6.1",
    [
      { fin: false, payload: "{" },
      { opcode: continuation, rsv, payload: "}" },
    ],
    protocolError,
  ]),
  [
    "reserved bits behind a good message",
    "RFC 6455 §5.2",
    [{ payload: command }, { rsv: 4, payload: command }],
    protocolError,
  ],
];

const unknownOpcodes: readonly BrokenRow[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode): BrokenRow[] => [
  [`opcode ${opcode}`, "RFC 6455 §5.2", [{ opcode }], protocolError],
  [`opcode ${opcode} with a payload`, "RFC 6455 §5.2", [{ opcode, payload: command }], protocolError],
]);

const masking: readonly BrokenRow[] = [
  ["a text without a mask", "RFC 6455 §5.1", [{ masked: false, payload: command }], protocolError],
  ["an empty text without a mask", "RFC 6455 §5.1", [{ masked: false }], protocolError],
  ["a binary without a mask", "RFC 6455 §5.1", [{ opcode: binary, masked: false, payload: "x" }], protocolError],
  ["a ping without a mask", "RFC 6455 §5.1", [{ opcode: ping, masked: false }], protocolError],
  [
    "a close without a mask",
    "RFC 6455 §5.1",
    [{ opcode: close, masked: false, payload: closePayload(1000) }],
    protocolError,
  ],
  [
    "a continuation without a mask",
    "RFC 6455 §5.1",
    [
      { fin: false, payload: "{" },
      { opcode: continuation, masked: false, payload: "}" },
    ],
    protocolError,
  ],
  [
    "a request behind the handshake",
    "RFC 6455 §5.1",
    [Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n")],
    protocolError,
  ],
  ["zeros", "RFC 6455 §5.1", [Buffer.alloc(64)], protocolError],
  ["ones", "RFC 6455 §5.2", [Buffer.alloc(64, 0xff)], protocolError],
];

const controls: readonly BrokenRow[] = [
  ...(
    [
      ["ping", ping],
      ["pong", pong],
      ["close", close],
    ] as const
  ).flatMap(([name, opcode]): BrokenRow[] => [
    [`a ${name} in fragments`, "RFC 6455 §5.5", [{ opcode, fin: false }], protocolError],
    [`a ${name} of 126 bytes`, "RFC 6455 §5.5", [{ opcode, payload: "x".repeat(126) }], protocolError],
    [`a ${name} of 65,536 bytes`, "RFC 6455 §5.5", [{ opcode, payload: "x".repeat(65_536) }], protocolError],
    [`a ${name} with a 16-bit length of 5`, "RFC 6455 §5.5", [longer(opcode, 2, "hello")], protocolError],
    [`a ${name} with a 64-bit length of 5`, "RFC 6455 §5.5", [longer(opcode, 8, "hello")], protocolError],
  ]),
];

const fragments: readonly BrokenRow[] = [
  ["a continuation of nothing", "RFC 6455 §5.4", [{ opcode: continuation, payload: command }], protocolError],
  [
    "a first continuation that is not the last",
    "RFC 6455 §5.4",
    [{ opcode: continuation, fin: false, payload: command }],
    protocolError,
  ],
  [
    "a continuation behind a whole message",
    "RFC 6455 §5.4",
    [{ payload: command }, { opcode: continuation, payload: "x" }],
    protocolError,
  ],
  [
    "a continuation behind a message in fragments",
    "RFC 6455 §5.4",
    [
      { fin: false, payload: "{" },
      { opcode: continuation, payload: "}" },
      { opcode: continuation, payload: "x" },
    ],
    protocolError,
  ],
  ["a text within a text", "RFC 6455 §5.4", [{ fin: false, payload: "{" }, { payload: "}" }], protocolError],
  [
    "a text that begins within a text",
    "RFC 6455 §5.4",
    [
      { fin: false, payload: "{" },
      { fin: false, payload: "}" },
    ],
    protocolError,
  ],
  [
    "a binary within a text",
    "RFC 6455 §5.4",
    [
      { fin: false, payload: "{" },
      { opcode: binary, payload: "}" },
    ],
    protocolError,
  ],
  [
    "a text within a text, behind a ping",
    "RFC 6455 §5.4",
    [{ fin: false, payload: "{" }, { opcode: ping }, { payload: "}" }],
    protocolError,
  ],
  ["17 fragments", "at most 16", many(17, "x"), policy],
  ["17 empty fragments", "at most 16", many(17, ""), policy],
  ["65 fragments of a byte", "at most 16", many(65, "x"), policy],
];

const lengths: readonly BrokenRow[] = [
  ["a 16-bit length of 5", "RFC 6455 §5.2: the least number of bytes", [longer(text, 2, "hello")], protocolError],
  [
    "a 16-bit length of 125",
    "RFC 6455 §5.2: the least number of bytes",
    [longer(text, 2, "x".repeat(125))],
    protocolError,
  ],
  ["a 64-bit length of 5", "RFC 6455 §5.2: the least number of bytes", [longer(text, 8, "hello")], protocolError],
  [
    "a 64-bit length of 65,535",
    "RFC 6455 §5.2: the least number of bytes",
    [longer(text, 8, "x".repeat(65_535))],
    protocolError,
  ],
  ["a 64-bit length of 0", "RFC 6455 §5.2: the least number of bytes", [longer(text, 8, "")], protocolError],
  ["a length of 2^63", "RFC 6455 §5.2: the most significant bit", [header64("8000000000000000")], badLength],
  ["a length of 2^64 - 1", "RFC 6455 §5.2: the most significant bit", [header64("ffffffffffffffff")], badLength],
  ["a length of 2^63 - 1", "more than is taken", [header64("7fffffffffffffff")], tooBig],
  ["a length of 2^53", "more than is taken", [header64("0020000000000000")], tooBig],
  ["a length of 2^32", "more than is taken", [header64("0000000100000000")], tooBig],
  ["a length of 2^31", "more than is taken", [header64("0000000080000000")], tooBig],
  ["a length of 65,537", "64 KiB a message", [{ claimedLength: 65_537 }], tooBig],
  ["a message of 65,537", "64 KiB a message", [{ payload: "x".repeat(65_537) }], tooBig],
  [
    "fragments of 65,537 together",
    "64 KiB a message",
    [
      { fin: false, payload: "x".repeat(65_000) },
      { opcode: continuation, payload: "x".repeat(537) },
    ],
    tooBig,
  ],
  [
    "a fragment whose header goes past the bound",
    "64 KiB a message",
    [
      { fin: false, payload: "x".repeat(10) },
      { opcode: continuation, claimedLength: 65_527 },
    ],
    tooBig,
  ],
  ["a binary of 65,537", "64 KiB a message", [{ opcode: binary, claimedLength: 65_537 }], tooBig],
];

const badCodes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 32_768, 65_535];
const closing: readonly BrokenRow[] = [
  ["a close of one byte", "RFC 6455 §5.5.1", [{ opcode: close, payload: "x" }], protocolError],
  ["a close of one byte 0", "RFC 6455 §5.5.1", [{ opcode: close, payload: "\0" }], protocolError],
  ...badCodes.map((code): BrokenRow => [
    `close code ${code}`,
    "RFC 6455 §7.4",
    [{ opcode: close, payload: closePayload(code) }],
    protocolError,
  ]),
  [
    "close code 1005 with a reason",
    "RFC 6455 §7.4.1",
    [{ opcode: close, payload: closePayload(1005, "bye") }],
    protocolError,
  ],
  [
    "a reason that is no UTF-8",
    "RFC 6455 §5.5.1, §8.1",
    [{ opcode: close, payload: Buffer.from([3, 232, 0xff]) }],
    notUtf8,
  ],
  [
    "a reason that ends in half a character",
    "RFC 6455 §5.5.1, §8.1",
    [{ opcode: close, payload: Buffer.from([3, 232, 0xe2, 0x82]) }],
    notUtf8,
  ],
  [
    "a reason with a surrogate",
    "RFC 3629 §3",
    [{ opcode: close, payload: Buffer.from([3, 232, 0xed, 0xa0, 0x80]) }],
    notUtf8,
  ],
];

const utf8: readonly BrokenRow[] = badText.flatMap(([name, hex]): BrokenRow[] => {
  const payload = Buffer.from(hex, "hex");
  const cut = Math.max(1, Math.floor(payload.length / 2));
  const halves = [
    { fin: false, payload: payload.subarray(0, cut) },
    { opcode: continuation, payload: payload.subarray(cut) },
  ];
  return [
    [name, "RFC 6455 §8.1, RFC 3629 §3", [{ payload }], notUtf8],
    [`${name}, in two fragments`, "RFC 6455 §5.6, §8.1", halves, notUtf8],
  ];
});

const kinds: readonly BrokenRow[] = [
  ["a binary message", "protocol §7", [{ opcode: binary, payload: command }], [1003]],
  ["an empty binary message", "protocol §7", [{ opcode: binary }], [1003]],
  [
    "a binary message in fragments",
    "protocol §7",
    [
      { opcode: binary, fin: false, payload: "{" },
      { opcode: continuation, payload: "}" },
    ],
    [1003],
  ],
];

const floods: readonly BrokenRow[] = [
  ["41 pings at once", "20 control frames a second", Array.from({ length: 41 }, () => ({ opcode: ping })), policy],
  ["41 pongs at once", "20 control frames a second", Array.from({ length: 41 }, () => ({ opcode: pong })), policy],
  [
    "41 pings within a message",
    "20 control frames a second",
    [{ fin: false, payload: "{" }, ...Array.from({ length: 41 }, () => ({ opcode: ping }))],
    policy,
  ],
];

const groups: readonly (readonly [string, readonly BrokenRow[]])[] = [
  ["reserved bits", reservedBits],
  ["opcodes", unknownOpcodes],
  ["the mask", masking],
  ["control frames", controls],
  ["fragments", fragments],
  ["lengths", lengths],
  ["closing", closing],
  ["UTF-8", utf8],
  ["kinds of message", kinds],
  ["too many at once", floods],
];

/** All of them, by rule. */
export const brokenFrames: readonly (readonly [string, readonly BrokenCase[]])[] = groups.map(([group, rows]) => [
  group,
  rows.map(([name, because, frames, codes]) => ({ name, because, bytes: bytesOf(frames), codes })),
]);

/** A message in so many fragments. */
function many(count: number, payload: string): Frame[] {
  return Array.from({ length: count }, (_, index) => ({
    opcode: index === 0 ? text : continuation,
    fin: index === count - 1,
    payload,
  }));
}

/** A frame whose length takes more bytes than it needs. */
function longer(opcode: number, lengthBytes: 2 | 8, payload: string): Buffer {
  const header = Buffer.alloc(2 + lengthBytes);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | (lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) header.writeUInt16BE(payload.length, 2);
  else header.writeBigUInt64BE(BigInt(payload.length), 2);
  // A mask of zeros: the payload as it is.
  return Buffer.concat([header, Buffer.alloc(4), Buffer.from(payload)]);
}

function header64(lengthHex: string): Buffer {
  return Buffer.from(`81ff${lengthHex}00000000`, "hex");
}
