import { describe, expect, it } from "vitest";
import { keepHeapCompact } from "./compact-heap.js";

function flagsSetWith(given: string): string[] {
  const flags: string[] = [];
  keepHeapCompact(given, (flag) => flags.push(flag));
  return flags;
}

describe("keepHeapCompact", () => {
  it("lets the old generation grow little, the young one not at all, and nothing begin old", () => {
    expect(flagsSetWith("--enable-source-maps")).toEqual([
      "--heap-growing-percent=30",
      "--semi-space-growth-factor=1",
      "--no-allocation-site-pretenuring",
    ]);
  });

  it.each(["--max-semi-space-size=16", "--max_semi_space_size=16", "--heap-growing-percent=100"])(
    "leaves the operator's choice %s alone",
    (given) => {
      expect(flagsSetWith(given)).toEqual([]);
    },
  );
});
