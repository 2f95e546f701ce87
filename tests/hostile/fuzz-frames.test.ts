// Any sequence of frames, cut anywhere: the doors close when an oracle says so, with the code that it says, and live on
// when it says that.
import fc from "fast-check";
import { closePayload, frameBytes, mint, opcodes, RawSocket, request } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doors, errorsOf, type Door } from "./doors.js";
import { hasLaterFault, verdictOf, type FuzzedFrame } from "./frame-oracle.js";
import { fuzzing, fuzzMs } from "./fuzz.js";

const token = mint({ sub: "fuzzer" });
/** Below the 20 control frames that a second allows. */
const framesMax = 18;

const payload = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom("", "{", "}", '{"type":"ping"}', '{"type":"pong"}').map((text) => Buffer.from(text)),
  },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 140 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }).map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 5_100 }).map((code) => closePayload(code, "why")) },
);
const mostly = (usual: number, other: fc.Arbitrary<number>): fc.Arbitrary<number> =>
  fc.oneof({ weight: 19, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
const opcode = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(opcodes.text, opcodes.continuation) },
  { weight: 4, arbitrary: fc.constantFrom(opcodes.ping, opcodes.pong) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 15 }) },
);
const frame: fc.Arbitrary<FuzzedFrame> = fc.record({
  opcode,
  payload,
  fin: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  rsv: mostly(0, fc.integer({ min: 1, max: 7 })),
  masked: mostly(1, fc.constant(0)).map((masked) => masked === 1),
});
const frames = fc.array(frame, { maxLength: framesMax });
const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 8 });

describe.each(doors)("on the %s", (name, open) => {
  let door: Door;
  beforeAll(async () => {
    door = await open({
      gateway: { limits: { handshakes_per_second: 1_000_000, handshake_burst: 1_000_000 } },
      limits: { commands_per_second: 1_000_000, command_burst: 1_000_000 },
    });
  });
  afterAll(async () => {
    await door[Symbol.asyncDispose]();
  });

  it(
    "any frames, cut anywhere",
    async () => {
      const property = fc.asyncProperty(frames, cuts, async (sequence, lengths) => {
        await using raw = await RawSocket.upgraded(door.url, { token });
        raw.socket.setNoDelay(true);
        const bytes = Buffer.concat(sequence.map((one) => frameBytes(one)));
        let at = 0;
        for (const length of [...lengths, bytes.length]) {
          raw.send(bytes.subarray(at, at + length));
          at = Math.min(bytes.length, at + length);
          await new Promise((resolve) => setImmediate(resolve));
        }
        const verdict = verdictOf(sequence);
        const expected = new Set([verdict?.code ?? 1000]);
        if (verdict === undefined) raw.send(frameBytes({ opcode: opcodes.close, payload: closePayload(1000) }));
        if (verdict?.code === 1005) expected.add(1000);
        // The gateway sees a broken header while the service still reads what came before it.
        if (name === "gateway" && verdict !== undefined && hasLaterFault(sequence, verdict.at)) expected.add(1002);
        for (;;) {
          const answer = await raw.frame();
          if (answer.opcode !== opcodes.close) continue;
          const code = answer.payload.length === 0 ? 1005 : answer.payload.readUInt16BE();
          expect([...expected]).toContain(code);
          return;
        }
      });
      await fc.assert(property, fuzzing(`frames on the ${name}`, 150) as fc.Parameters<[FuzzedFrame[], number[]]>);
      expect((await request(door.url, "/readyz")).status).toBe(200);
      expect(errorsOf(door)).toEqual([]);
    },
    fuzzMs,
  );

  it(
    "any bytes at all, before the handshake and behind it",
    async () => {
      const bytes = fc.uint8Array({ maxLength: 400 });
      const property = fc.asyncProperty(bytes, fc.boolean(), async (noise, isUpgraded) => {
        await using raw = isUpgraded
          ? await RawSocket.upgraded(door.url, { token })
          : await RawSocket.connect(door.url);
        raw.send(noise);
        raw.socket.end();
        await raw.closed;
      });
      await fc.assert(property, fuzzing(`bytes on the ${name}`, 150) as fc.Parameters<[Uint8Array, boolean]>);
      expect((await request(door.url, "/readyz")).status).toBe(200);
      expect(errorsOf(door)).toEqual([]);
    },
    fuzzMs,
  );
});
