import { describe, expect, it } from "vitest";
import { installIsCurrent, isAtLeast } from "./install-state.mjs";

describe("isAtLeast", () => {
  it.each([
    ["20.18.9", false],
    ["20.19.0", true],
    ["v20.19.1", true],
    ["20.2.0", false],
    ["24.0.0-nightly", true],
    ["9.99.99", false],
  ])("%s against 20.19.0 is %s", (version, expected) => {
    expect(isAtLeast(version, "20.19.0")).toBe(expected);
  });
});

describe("installIsCurrent", () => {
  const lock = {
    packages: {
      "": { version: "0.1.0" },
      "packages/a": { version: "0.1.0" },
      "node_modules/@sluice/a": { link: true },
      "node_modules/ws": { version: "8.23.0", integrity: "sha512-a" },
      "node_modules/x/node_modules/ws": { version: "7.0.0", integrity: "sha512-b" },
      "node_modules/binary-for-another-system": { version: "1.0.0", integrity: "sha512-c", optional: true },
    },
  };
  const {
    "": _root,
    "packages/a": _workspace,
    "node_modules/binary-for-another-system": _other,
    ...rest
  } = lock.packages;

  it("is true for what npm leaves behind", () => {
    expect(installIsCurrent(lock, { packages: rest })).toBe(true);
  });

  it.each([
    ["nothing is installed", undefined],
    ["a package is missing", { packages: { ...rest, "node_modules/ws": undefined } }],
    ["a nested package is missing", { packages: { ...rest, "node_modules/x/node_modules/ws": undefined } }],
    ["a workspace is not linked", { packages: { ...rest, "node_modules/@sluice/a": undefined } }],
    ["a version differs", { packages: { ...rest, "node_modules/ws": { version: "8.22.0", integrity: "sha512-a" } } }],
    ["the contents differ", { packages: { ...rest, "node_modules/ws": { version: "8.23.0", integrity: "sha512-z" } } }],
    [
      "an optional package has another version",
      { packages: { ...rest, "node_modules/binary-for-another-system": { version: "0.9.0", integrity: "sha512-d" } } },
    ],
  ])("is false when %s", (_, installed) => {
    expect(installIsCurrent(lock, installed)).toBe(false);
  });
});
