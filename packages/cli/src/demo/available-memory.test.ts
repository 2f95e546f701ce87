import { expect, it } from "vitest";
import { readAvailableMemory } from "./available-memory.js";

it("reads MemAvailable as bytes", () => {
  expect(readAvailableMemory("MemTotal:       24684096 kB\nMemFree: 1 kB\nMemAvailable:   24229012 kB\n")).toBe(
    24_229_012 * 1_024,
  );
});

it("knows when the kernel does not say", () => {
  expect(readAvailableMemory("MemTotal: 1 kB\n")).toBeUndefined();
});
