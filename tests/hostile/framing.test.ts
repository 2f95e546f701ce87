// Every frame of the table, on both doors: what breaks a rule gets the close that names it, what breaks none is answered.
import { frameBytes, mint, opcodes, RawSocket, request, within } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doors, errorsOf, type Door } from "./doors.js";
import { brokenFrames } from "./framing-cases.js";
import { soundCloses, soundFrames } from "./sound-frame-cases.js";

const token = mint({ sub: "framer" });
const command = frameBytes({ payload: '{"type":"ping","timestamp":"last"}' });

/** RFC 6455 §7.1.5: what a close frame without a code stands for. */
const noCode = 1005;

describe.each(doors)("on the %s", (_name, open) => {
  let door: Door;
  beforeAll(async () => {
    door = await open();
  });
  afterAll(async () => {
    await door[Symbol.asyncDispose]();
  });

  async function connected(): Promise<RawSocket> {
    const raw = await RawSocket.upgraded(door.url, { token });
    expect((await raw.frame()).payload.toString()).toContain('"connected"');
    return raw;
  }

  describe.each(brokenFrames)("a frame that breaks a rule of %s closes the connection", (_group, cases) => {
    it.each(cases)("$name ($because)", async ({ bytes, codes }) => {
      await using raw = await connected();
      raw.send(bytes);
      expect(codes).toContain((await raw.closeFrame()).code);
      // What follows is not heard any more, and the connection ends when this side does.
      raw.socket.end(command);
      await within("the connection to be ended", raw.closed);
      expect(raw.rest.length, "nothing behind the close").toBe(0);
    });
  });

  it.each(soundFrames)("$name is answered, and the connection lives on ($because)", async ({ chunks, answers }) => {
    await using raw = await connected();
    raw.socket.setNoDelay(true);
    for (const chunk of chunks) {
      raw.send(chunk);
      if (chunks.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const [opcode, payload] of answers) {
      const frame = await raw.frame();
      expect([frame.opcode, frame.rsv, frame.fin]).toEqual([opcode, 0, true]);
      if (opcode === opcodes.text) expect(frame.payload.toString()).toContain(payload);
      else expect(frame.payload.toString("latin1")).toBe(payload);
    }
    raw.send(command);
    expect((await raw.frame()).payload.toString()).toContain('"timestamp":"last"');
  });

  it.each(soundCloses)(
    "a close %s is answered once, and ends the connection (%s)",
    async (_what, _because, bytes, codes) => {
      await using raw = await connected();
      raw.send(bytes);
      const { opcode, payload } = await raw.frame();
      expect(opcode).toBe(opcodes.close);
      expect(codes).toContain(payload.length === 0 ? noCode : payload.readUInt16BE());
      await within("the connection to be ended", raw.closed);
      expect(raw.rest.length, "nothing behind the close").toBe(0);
    },
  );

  it("and is as it was after all of it", async () => {
    expect((await request(door.url, "/readyz")).status).toBe(200);
    expect(errorsOf(door)).toEqual([]);
  });
});
