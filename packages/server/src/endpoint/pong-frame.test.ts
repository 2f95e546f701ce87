import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPongFrame, pongTextBytes } from "./pong-frame.js";

const text = '{"type":"pong"}';
const finText = 0x81;

function frame(payload: string, first = finText): Buffer {
  const mask = randomBytes(4);
  const hidden = Buffer.from(payload).map((byte, at) => byte ^ (mask[at % 4] as number));
  return Buffer.concat([Buffer.from([first, 0x80 | hidden.length]), mask, hidden]);
}

describe("isPongFrame", () => {
  it("knows the frame under any mask", () => {
    expect(pongTextBytes).toBe(text.length);
    for (let n = 0; n < 100; n += 1) expect(isPongFrame(frame(text))).toBe(true);
  });

  it("knows no other, be it different in one byte", () => {
    const anything = fc.record({ at: fc.nat(20), by: fc.integer({ min: 1, max: 255 }) });
    fc.assert(
      fc.property(anything, ({ at, by }) => {
        const bytes = frame(text);
        // A byte of the mask stands for several of the text.
        bytes[at] = (bytes[at] as number) ^ by;
        expect(isPongFrame(bytes)).toBe(false);
      }),
    );
  });

  it.each([
    ["not masked", Buffer.from([finText, text.length, ...Buffer.from(text), 0, 0, 0, 0])],
    ["a fragment", frame(text, 0x01)],
    ["compressed, or so it says", frame(text, 0xc1)],
    ["binary", frame(text, 0x82)],
    ["a byte short", frame(text).subarray(0, -1)],
    ["followed by a byte", Buffer.concat([frame(text), Buffer.from([0x81])])],
    ["twice", Buffer.concat([frame(text), frame(text)])],
    ["with a timestamp", frame('{"type":"pong","timestamp":1}')],
    ["a ping", frame('{"type":"ping"}')],
    ["nothing", Buffer.alloc(0)],
  ])("knows none that is %s", (_how, bytes) => {
    expect(isPongFrame(bytes)).toBe(false);
  });
});
