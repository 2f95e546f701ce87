import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameTracker, type FrameTrackerOptions } from "./frame-tracker.js";

/** A frame by hand: the header's bytes as they are on the wire, then payload (masked with zeros, which changes nothing). */
function frame(opcode: number, payload: Uint8Array, { fin = true, masked = true, rsv = 0 } = {}): Buffer {
  const size = payload.length;
  const mask = masked ? 0x80 : 0;
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const head = size < 126 ? Buffer.from([first, mask | size]) : Buffer.alloc(size <= 0xffff ? 4 : 10);
  if (size >= 126) {
    head[0] = first;
    head[1] = mask | (size <= 0xffff ? 126 : 127);
    if (size <= 0xffff) head.writeUInt16BE(size, 2);
    else head.writeBigUInt64BE(BigInt(size), 2);
  }
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}

function tracker(options: Partial<FrameTrackerOptions> = {}): FrameTracker {
  return new FrameTracker({ masked: true, frameBytesMax: 1_000_000, reservedBits: 0, ...options });
}

const bytes = (size: number): Uint8Array => new Uint8Array(size);

describe("FrameTracker", () => {
  it("finds the end of the last whole frame, however the bytes come", () => {
    const frames = fc.array(
      fc.nat({ max: 70_000 }).map((size) => frame(2, bytes(size))),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 30 }), (whole, cuts) => {
        const all = Buffer.concat(whole);
        const ends = new Set(whole.map((_, index) => Buffer.concat(whole.slice(0, index + 1)).length));
        const followed = tracker();
        let at = 0;
        for (const cut of [...cuts, Infinity]) {
          const chunk = all.subarray(at, at + cut);
          followed.follow(chunk);
          const last = Math.max(0, ...[...ends].filter((end) => end > at && end <= at + chunk.length));
          expect(followed.boundary).toBe(last === 0 ? 0 : last - at);
          at += chunk.length;
          expect(followed.isAtBoundary).toBe(at === 0 || ends.has(at));
        }
        expect(followed.fault).toBeUndefined();
      }),
    );
  });

  it.each([
    ["16 bits for 125", "82fe007d00000000", "protocol"],
    ["16 bits for 126", "82fe007e00000000", undefined],
    ["64 bits for 65,535", "82ff000000000000ffff00000000", "protocol"],
    ["64 bits for 65,536", "82ff000000000001000000000000", undefined],
    ["64 bits for 0", "82ff000000000000000000000000", "protocol"],
  ])("of a length written in %s says %3$s", (_what, header, fault) => {
    const followed = tracker();
    followed.follow(Buffer.from(header, "hex"));
    expect(followed.fault).toBe(fault);
  });

  it.each([
    [999, undefined],
    [1_000, undefined],
    [1_001, "too-big"],
  ])("of a frame of %i bytes where 1000 are allowed says %s", (size, fault) => {
    const followed = tracker({ frameBytesMax: 1_000 });
    followed.follow(frame(2, bytes(size)));
    expect(followed.fault).toBe(fault);
  });

  const wrong: readonly [string, Buffer, Partial<FrameTrackerOptions>?][] = [
    ["unmasked where it must be masked", frame(1, bytes(1), { masked: false })],
    ["masked where it must not be", frame(1, bytes(1)), { masked: false }],
    ["a reserved opcode", frame(3, bytes(1))],
    ["a reserved control opcode", frame(11, bytes(1))],
    ["RSV1 where nothing was agreed", frame(1, bytes(1), { rsv: 4 })],
    ["RSV2 with deflate", frame(1, bytes(1), { rsv: 2 }), { reservedBits: 4 }],
    ["RSV1 on a control frame", frame(9, bytes(1), { rsv: 4 }), { reservedBits: 4 }],
    [
      "RSV1 on a continuation",
      Buffer.concat([frame(1, bytes(1), { fin: false }), frame(0, bytes(1), { rsv: 4 })]),
      { reservedBits: 4 },
    ],
    ["a fragmented control frame", frame(9, bytes(1), { fin: false })],
    ["a control frame of 126 bytes", frame(10, bytes(126))],
    ["a close of one byte", frame(8, bytes(1))],
    ["a continuation of nothing", frame(0, bytes(1))],
    ["a message within a message", Buffer.concat([frame(1, bytes(1), { fin: false }), frame(1, bytes(1))])],
  ];
  it.each(wrong)("refuses %s", (_what, wire, options = {}) => {
    const good = frame(9, bytes(3), { masked: options.masked ?? true });
    const followed = tracker(options);
    followed.follow(Buffer.concat([good, wire]));
    expect(followed.fault).toBe("protocol");
    expect(followed.boundary).toBeGreaterThanOrEqual(good.length);
    expect(followed.boundary).toBeLessThan(good.length + wire.length);
  });

  it("takes RSV1 where deflate was agreed", () => {
    const followed = tracker({ reservedBits: 4 });
    followed.follow(frame(1, bytes(10), { rsv: 4 }));
    expect(followed.fault).toBeUndefined();
  });

  it("reads the code of a close, masked and in pieces, and follows nothing after it", () => {
    const close = frame(8, Buffer.from([0x11 ^ 0xaa, 0x33 ^ 0xbb, 0x61]));
    close.set([0xaa, 0xbb, 0, 0], 2);
    const followed = tracker();
    for (const byte of close) followed.follow(Buffer.from([byte]));
    expect([followed.closeCode, followed.boundary]).toEqual([0x1133, 1]);
    followed.follow(frame(1, bytes(1)));
    expect(followed.boundary).toBe(0);
    const empty = tracker();
    empty.follow(frame(8, bytes(0)));
    expect(empty.closeCode).toBe(1005);
  });

  it("tells how large the frame under way will be", () => {
    const followed = tracker();
    followed.follow(frame(2, bytes(50_000)).subarray(0, 100));
    expect(followed.frameBytes).toBe(50_008);
  });
});
