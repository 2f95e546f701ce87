import { describe, expect, it } from "vitest";
import { headBytesMax, readAnswerHead } from "./answer-head.js";

const read = (text: string) => readAnswerHead(Buffer.from(text, "latin1"));
const good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-A:  1 \r\nx-a: 2\r\n\r\n";

describe("readAnswerHead", () => {
  it("reads status, headers and length, and nothing of what is behind", () => {
    expect(read(`${good}behind`)).toEqual({
      status: 101,
      headers: new Map([
        ["upgrade", "websocket"],
        ["x-a", "1, 2"],
      ]),
      bytes: good.length,
    });
  });

  it("waits for the end, byte by byte", () => {
    for (let length = 0; length < good.length; length += 1) expect(read(good.slice(0, length))).toBe("partial");
  });

  it("takes an answer without a reason phrase", () => {
    expect(read("HTTP/1.1 200\r\n\r\n")).toMatchObject({ status: 200 });
    expect(read("HTTP/1.1 200 \r\n\r\n")).toMatchObject({ status: 200 });
  });

  it.each([
    ["another protocol", "SSH-2.0-x\r\n"],
    ["another version", "HTTP/1.0 101 Switching Protocols\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 99 X\r\n\r\n"],
    ["a status over 599", "HTTP/1.1 600 X\r\n\r\n"],
    ["a space before the colon", "HTTP/1.1 101 X\r\nUpgrade : websocket\r\n\r\n"],
    ["a folded line", "HTTP/1.1 101 X\r\nUpgrade:\r\n websocket\r\n\r\n"],
    ["a line without a colon", "HTTP/1.1 101 X\r\nUpgrade\r\n\r\n"],
    ["a bare line feed", "HTTP/1.1 101 X\r\nUpgrade: websocket\nX: y\r\n\r\n"],
    ["a bare carriage return", "HTTP/1.1 101 X\r\nUpgrade: web\rsocket\r\n\r\n"],
    ["a NUL", "HTTP/1.1 101 X\r\nUpgrade: web\0socket\r\n\r\n"],
    ["an empty name", "HTTP/1.1 101 X\r\n: websocket\r\n\r\n"],
  ])("refuses %s", (_what, text) => {
    expect(read(text)).toBe("broken");
  });

  it.each([
    [headBytesMax - 1, "read"],
    [headBytesMax, "read"],
    [headBytesMax + 1, "broken"],
  ])("of a head of %i bytes says %s", (size, outcome) => {
    const [start, end] = ["HTTP/1.1 101 X\r\nX: ", "\r\n\r\n"];
    const head = read(start + "x".repeat(size - start.length - end.length) + end);
    expect(typeof head === "string" ? head : "read").toBe(outcome);
    expect(read(`${start}${"x".repeat(headBytesMax)}`)).toBe("broken");
  });
});
