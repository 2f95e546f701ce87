import { describe, expect, it } from "vitest";
import { recordedTerminal } from "../testing/recorded-terminal.js";
import { ProgressLine, progressText } from "./publish-progress.js";

const counts = { events: 12_000, elapsedMs: 200, bytes: 34, bytesTotal: 100 };

describe("progressText", () => {
  it.each([
    [counts, "12,000 events  60,000/s  34 %  388 ms left"],
    [{ ...counts, bytesTotal: undefined }, "12,000 events  60,000/s"],
    [{ ...counts, bytes: 100 }, "12,000 events  60,000/s  100 %"],
    [{ ...counts, bytes: 130 }, "12,000 events  60,000/s  100 %"],
    [{ ...counts, bytesTotal: 0 }, "12,000 events  60,000/s"],
    [{ events: 0, elapsedMs: 0, bytes: 0, bytesTotal: 10 }, "0 events  0/s  0 %"],
  ])("shows %j", (shown, text) => {
    expect(progressText(shown)).toBe(text);
  });
});

describe("ProgressLine", () => {
  it("writes over itself on a terminal, five times a second at most, and goes away", () => {
    const { terminal, err } = recordedTerminal({ isTTY: true });
    const line = new ProgressLine(terminal.stderr);
    line.update({ ...counts, elapsedMs: 0, events: 1 });
    line.update({ ...counts, elapsedMs: 199, events: 2 });
    line.update({ ...counts, elapsedMs: 200, events: 3 });
    line.clear();
    line.clear();
    const clear = "\r\u001b[K";
    expect(err()).toMatch(/^\r\u001b\[K1 events .*\r\u001b\[K3 events .*\r\u001b\[K$/);
    expect(err().split(clear)).toHaveLength(4);
  });

  it("writes a line a second elsewhere", () => {
    const { terminal, err } = recordedTerminal();
    const line = new ProgressLine(terminal.stderr);
    for (const elapsedMs of [0, 999, 1_000]) line.update({ ...counts, elapsedMs });
    line.clear();
    expect(err().split("\n")).toHaveLength(3);
    expect(err()).not.toContain("\u001b");
  });
});
