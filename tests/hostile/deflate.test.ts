// permessage-deflate (RFC 7692) on both doors, where it is switched on: what is offered wrongly is declined, what is
// compressed wrongly closes the connection, and what would grow past the bound is not inflated.
import { deflateRawSync } from "node:zlib";
import { frameBytes, mint, opcodes, RawSocket, request, type FrameBytesOptions } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doors, errorsOf, type Door } from "./doors.js";

const token = mint({ sub: "compressor" });
const mib = 1_048_576;
const rsv1 = 4;
const command = '{"type":"ping","timestamp":1}';
const flushTail = Buffer.from([0, 0, 0xff, 0xff]);

/** A payload as RFC 7692 §7.2.1 makes it: flushed, without the four bytes at the end. */
function deflated(text: string | Buffer): Buffer {
  const bytes = deflateRawSync(text, { finishFlush: 2 });
  return bytes.subarray(-4).equals(flushTail) ? bytes.subarray(0, -4) : bytes;
}

const whole = deflated(command);
const { continuation, ping, pong, close } = opcodes;
type Frames = readonly FrameBytesOptions[];

const broken: readonly (readonly [name: string, because: string, frames: Frames, codes: readonly number[]])[] = [
  ["RSV1 on a ping", "RFC 7692 §6.1", [{ opcode: ping, rsv: rsv1 }], [1002]],
  ["RSV1 on a pong", "RFC 7692 §6.1", [{ opcode: pong, rsv: rsv1 }], [1002]],
  ["RSV1 on a close", "RFC 7692 §6.1", [{ opcode: close, rsv: rsv1 }], [1002]],
  [
    "RSV1 on a continuation",
    "RFC 7692 §6.1",
    [
      { rsv: rsv1, fin: false, payload: whole.subarray(0, 9) },
      { opcode: continuation, rsv: rsv1, payload: whole.subarray(9) },
    ],
    [1002],
  ],
  [
    "RSV1 on the continuation alone",
    "RFC 7692 §6.1",
    [
      { fin: false, payload: "{" },
      { opcode: continuation, rsv: rsv1, payload: whole },
    ],
    [1002],
  ],
  ["RSV2 on a compressed text", "RFC 6455 §5.2", [{ rsv: rsv1 | 2, payload: whole }], [1002]],
  ["RSV3 on a compressed text", "RFC 6455 §5.2", [{ rsv: rsv1 | 1, payload: whole }], [1002]],
  ["bytes that are not deflated", "RFC 7692 §7.2.2", [{ rsv: rsv1, payload: "plain text" }], [1002, 1007]],
  ["0xff", "RFC 1951 §3.2.3: a block type that isn't", [{ rsv: rsv1, payload: Buffer.alloc(16, 0xff) }], [1002, 1007]],
  [
    "a reference to what was never sent",
    "RFC 1951 §3.2.5",
    [{ rsv: rsv1, payload: deflateRawSync(command, { dictionary: Buffer.from(command) }) }],
    [1002, 1007],
  ],
  [
    "bad UTF-8 within",
    "RFC 7692 §6.2, RFC 6455 §8.1",
    [{ rsv: rsv1, payload: deflated(Buffer.from([0xff, 0xfe])) }],
    [1007],
  ],
  [
    "a bomb of 64 MiB",
    "RFC 6455 §10.4, limits.message_bytes",
    [{ rsv: rsv1, payload: deflated(Buffer.alloc(64 * mib, 0x20)).subarray(0, 65_000) }],
    [1009],
  ],
  [
    "a byte over the bound, inflated",
    "limits.message_bytes",
    [{ rsv: rsv1, payload: deflated(Buffer.alloc(65_537, 0x20)) }],
    [1009],
  ],
  [
    "a bomb in fragments",
    "limits.message_bytes",
    [{ rsv: rsv1, fin: false, payload: deflated(Buffer.alloc(8 * mib, 0x20)) }, { opcode: continuation }],
    [1009],
  ],
  ["a binary, compressed", "protocol §7", [{ opcode: opcodes.binary, rsv: rsv1, payload: whole }], [1003]],
];

const sound: readonly (readonly [name: string, frames: Frames])[] = [
  ["compressed", [{ rsv: rsv1, payload: whole }]],
  ["not compressed", [{ payload: command }]],
  [
    "compressed, in fragments",
    [
      { rsv: rsv1, fin: false, payload: whole.subarray(0, 9) },
      { opcode: continuation, payload: whole.subarray(9) },
    ],
  ],
  [
    "compressed into a stored block",
    [{ rsv: rsv1, payload: deflateRawSync(command, { level: 0, finishFlush: 2 }).subarray(0, -4) }],
  ],
  [
    "compressed with a window of 9 bits",
    [{ rsv: rsv1, payload: deflateRawSync(command, { windowBits: 9, finishFlush: 2 }).subarray(0, -4) }],
  ],
];

const offers: readonly (readonly [offer: string, because: string, isTaken: boolean])[] = [
  ["permessage-deflate", "RFC 7692 §7", true],
  ["permessage-deflate; client_max_window_bits", "RFC 7692 §7.1.2.2", true],
  ["permessage-deflate; client_max_window_bits=15; server_no_context_takeover", "RFC 7692 §7.1", true],
  [
    "permessage-deflate; server_max_window_bits=8, permessage-deflate",
    "RFC 7692 §5.1: the first that can be taken",
    true,
  ],
  ["permessage-deflate; client_max_window_bits=99", "RFC 7692 §7.1: declined", false],
  ["permessage-deflate; client_max_window_bits=7", "RFC 7692 §7.1.2.2: declined", false],
  ["permessage-deflate; server_max_window_bits", "RFC 7692 §7.1.2.1: declined", false],
  ["permessage-deflate; level=9", "RFC 7692 §7: declined", false],
  ["permessage-deflate; client_no_context_takeover=1", "RFC 7692 §7.1.1.2: declined", false],
  ["permessage-deflate; client_no_context_takeover; client_no_context_takeover", "RFC 7692 §7.1: declined", false],
  ["x-webkit-deflate-frame", "RFC 6455 §9.1: declined", false],
];

describe.each(doors)("on the %s", (_name, open) => {
  let door: Door;
  beforeAll(async () => {
    door = await open({ compression: true });
  });
  afterAll(async () => {
    await door[Symbol.asyncDispose]();
  });

  async function compressing(): Promise<RawSocket> {
    const raw = await RawSocket.upgraded(door.url, {
      token,
      headers: { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" },
    });
    await raw.frame();
    return raw;
  }

  it.each(offers)("the offer %s (%s) is taken: %s", async (offer, _because, isTaken) => {
    await using raw = await RawSocket.upgraded(door.url, { token, headers: { "Sec-WebSocket-Extensions": offer } });
    raw.send(frameBytes({ rsv: isTaken ? rsv1 : 0, payload: isTaken ? whole : command }));
    await raw.frame();
    expect((await raw.frame()).payload.toString()).toContain('"pong"');
  });

  it.each(broken)("%s closes the connection (%s)", async (_what, _because, frames, codes) => {
    await using raw = await compressing();
    raw.send(Buffer.concat(frames.map((frame) => frameBytes(frame))));
    expect(codes).toContain((await raw.closeFrame()).code);
  });

  it.each(sound)("a command %s is answered", async (_what, frames) => {
    await using raw = await compressing();
    raw.send(Buffer.concat(frames.map((frame) => frameBytes(frame))));
    expect((await raw.frame()).payload.toString()).toContain('"type":"pong","timestamp":1');
  });

  it("and is as it was after all of it", async () => {
    expect((await request(door.url, "/readyz")).status).toBe(200);
    expect(errorsOf(door)).toEqual([]);
  });
});
