// What survives a process that is killed. Needs the built server, since the process runs without Vitest.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { makeLogDirectory, openLogIn } from "./contract/log-directory.js";
import { range, readAll } from "./contract/log-under-test.js";
import type { EventRecord } from "./event-log.js";

const builtLog = fileURLToPath(new URL("../../dist/log/embedded-log.js", import.meta.url));
const child = fileURLToPath(new URL("fixtures/append-until-killed.mjs", import.meta.url));
const kills = 6;

interface Acknowledged {
  readonly name: string;
  readonly firstSeq: number;
  readonly events: number;
}

/** Lets a process append to `dir` for a while, kills it, and gives what it said was acknowledged. */
const appendAndKill = async (dir: string, run: number, forMs: number): Promise<Acknowledged[]> => {
  const appending = spawn(process.execPath, [child, dir, `${run}`], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  appending.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(appending.stdout, "data");
  await delay(forMs);
  appending.kill("SIGKILL");
  await once(appending, "close");
  const lines = said.slice(0, said.lastIndexOf("\n")).split("\n").slice(1);
  return lines.map((line) => {
    const [name = "", firstSeq, events] = line.split(" ");
    return { name, firstSeq: Number(firstSeq), events: Number(events) };
  });
};

const expectWholeAppends = (records: readonly EventRecord[]): void => {
  let expected: string | undefined;
  for (const { eventId } of records) {
    const [name = "", index = "", events = ""] = eventId.split("/");
    if (index !== "0" || expected !== undefined) expect(eventId, "events of one append lie together").toBe(expected);
    const next = Number(index) + 1;
    expected = next < Number(events) ? `${name}/${next}/${events}` : undefined;
  }
  expect(expected, "the last append is whole").toBeUndefined();
};

describe("an embedded log whose process is killed", () => {
  it("has every acknowledged event in its place, no torn append, and is taken over at once", async ({ skip }) => {
    if (!existsSync(builtLog)) return skip(`${builtLog} is not there: run tsc -b first`);
    const dir = await makeLogDirectory();
    const acknowledged: Acknowledged[] = [];
    for (const run of range(1, kills)) {
      acknowledged.push(...(await appendAndKill(dir, run, 20 + Math.random() * 250)));
      const log = await openLogIn(dir);
      const records = await readAll(log);
      expect(records.map((record) => record.seq)).toEqual(range(1, log.head));
      for (const { name, firstSeq, events } of acknowledged) {
        const ids = range(0, events - 1).map((index) => records[firstSeq - 1 + index]?.eventId);
        expect(ids, `kill ${run}`).toEqual(range(0, events - 1).map((index) => `${name}/${index}/${events}`));
      }
      expectWholeAppends(records);
      await log.close();
    }
    expect(acknowledged.length, "appends acknowledged").toBeGreaterThan(kills);
    return undefined;
  }, 60_000);
});
