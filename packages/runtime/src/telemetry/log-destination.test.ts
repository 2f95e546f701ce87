import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createLogDestination, prettyDestination } from "./log-destination.js";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-log-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

function openFile(name: string) {
  const path = join(dir, name);
  return { fd: openSync(path, "w"), read: () => readFileSync(path, "utf8") };
}

it("writes what waits when it is flushed", async () => {
  const { fd, read } = openFile("flushed");
  const destination = createLogDestination({ fd });
  destination.write("one\n");
  destination.write("two\n");
  destination.flushSync();
  // A line that was being written at that moment is not waited for, but written.
  await vi.waitFor(() => expect(read().split("\n").sort()).toEqual(["", "one", "two"]));
  closeSync(fd);
});

it("drops lines past its bound, and then says how many", async () => {
  const { fd, read } = openFile("bounded");
  const destination = createLogDestination({ fd, waitingBytesMax: 200 });
  const line = `${"x".repeat(149)}\n`;
  for (let count = 0; count < 4; count += 1) destination.write(line);
  await vi.waitFor(() => expect(read()).toContain("dropped"));
  const said = read()
    .split("\n")
    .find((text) => text.startsWith("{"));
  const lost = 4 - read().split(line).length + 1;
  expect(lost).toBeGreaterThan(0);
  expect(JSON.parse(said ?? "")).toMatchObject({ level: "warn", dropped: lost, msg: "log lines were dropped" });
  closeSync(fd);
});

it("outlives an output that is closed", async () => {
  const { fd } = openFile("closed");
  closeSync(fd);
  const destination = createLogDestination({ fd });
  destination.write("lost\n");
  await new Promise((resolve) => void setImmediate(resolve));
  expect(() => destination.write("lost too\n")).not.toThrow();
});

it("can make lines readable", () => {
  const lines: string[] = [];
  let flushes = 0;
  const pretty = prettyDestination(
    { write: (line) => void lines.push(line), flushSync: () => void (flushes += 1) },
    false,
  );
  pretty.write('{"level":"info","time":"2026-01-02T20:13:27.123Z","msg":"m"}\n');
  pretty.flushSync?.();
  expect([lines, flushes]).toEqual([["20:13:27.123 INFO  m\n"], 1]);
});
