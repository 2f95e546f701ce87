import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type InputLine, lineBytesMax, LineError, readLines } from "./read-lines.js";

async function* chunks(parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function read(parts: readonly (string | Uint8Array)[]): Promise<{ lines: InputLine[]; error: unknown }> {
  const lines: InputLine[] = [];
  try {
    for await (const some of readLines(chunks(parts))) lines.push(...some);
    return { lines, error: undefined };
  } catch (error) {
    return { lines, error };
  }
}

describe("readLines", () => {
  it("numbers lines, passing over blank ones", async () => {
    const { lines } = await read(["a\n\n  \r\nb\r\n", "c"]);
    expect(lines).toEqual([
      { number: 1, text: "a" },
      { number: 4, text: "b" },
      { number: 5, text: "c" },
    ]);
  });

  it("passes over a byte order mark", async () => {
    expect((await read(["\ufeffa\n"])).lines).toEqual([{ number: 1, text: "a" }]);
  });

  it("finds nothing in nothing", async () => {
    expect(await read([])).toEqual({ lines: [], error: undefined });
    expect(await read(["\n\n"])).toEqual({ lines: [], error: undefined });
  });

  it("reads the same however the bytes are cut", async () => {
    const text = fc
      .array(fc.constantFrom("a", "ü", "😀", "\n", "\r\n", " "), { maxLength: 40 })
      .map((parts) => parts.join(""));
    const cuts = fc.array(fc.nat(60), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(text, cuts, async (whole, at) => {
        const bytes = Buffer.from(whole);
        const places = [0, ...at.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length];
        const parts = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        const expected = whole
          .split("\n")
          .map((line, index) => ({ number: index + 1, text: line.trim() }))
          .filter((line) => line.text !== "");
        expect(await read(parts)).toEqual({ lines: expected, error: undefined });
      }),
    );
  });

  it("gives what stands before a line that is not UTF-8, and names it", async () => {
    const { lines, error } = await read(["a\nb\n", new Uint8Array([0xc3, 0x28, 0x0a]), "c\n"]);
    expect(lines.map(({ text }) => text)).toEqual(["a", "b"]);
    expect(error).toEqual(new LineError(3, "is not UTF-8"));
  });

  it("takes a line of 16 MiB and refuses one byte more, ended or not", async () => {
    const longest = "x".repeat(lineBytesMax);
    expect((await read(["a\n", longest, "\n"])).lines).toHaveLength(2);
    for (const parts of [["a\n", longest, "x\n"], ["a\n", longest, "x", "y"], [`a\n${longest}x\n`]]) {
      const { lines, error } = await read(parts);
      expect(lines).toHaveLength(1);
      expect(error).toEqual(new LineError(2, "is longer than 16,777,216 bytes"));
    }
  });

  it("tells of the bytes it takes in", async () => {
    let bytes = 0;
    for await (const _ of readLines(chunks(["ab\n", "c"]), (count) => (bytes += count)));
    expect(bytes).toBe(4);
  });
});
