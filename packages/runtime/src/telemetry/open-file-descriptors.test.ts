import { readdirSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { collectOpenFds, countOpenFds, openFdsName } from "./open-file-descriptors.js";

const isLinux = process.platform === "linux";

it.skipIf(!isLinux)("grows with what is opened", async () => {
  const before = await countOpenFds();
  const held = await Promise.all(Array.from({ length: 50 }, () => open(import.meta.filename)));
  const during = await countOpenFds();
  await Promise.all(held.map((file) => file.close()));
  // Others of this process open and close some meanwhile.
  expect((during ?? 0) - (before ?? 0)).toBeGreaterThan(25);
});

it.skipIf(!isLinux)("counts the list where its size says nothing, and leaves the one for reading it out", async () => {
  // A directory of procfs with a size of 0, as /proc/self/fd has before Linux 6.2.
  const directory = "/proc/self/ns";
  expect(statSync(directory).size).toBe(0);
  expect(await countOpenFds(directory)).toBe(readdirSync(directory).length - 1);
});

it("says nothing where nobody tells", async () => {
  expect(await countOpenFds("/nowhere/at/all")).toBeUndefined();
});

it.skipIf(!isLinux)("is shown under prom-client's name", async () => {
  const registry = new Registry();
  collectOpenFds(registry);
  const line = (await registry.metrics()).split("\n").find((text) => text.startsWith(`${openFdsName} `));
  expect(Number(line?.split(" ")[1])).toBeGreaterThan(2);
});
