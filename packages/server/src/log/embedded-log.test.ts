import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openEmbeddedLog } from "./embedded-log.js";
import { describeEventLog } from "./event-log-contract.js";

const dirs: string[] = [];
afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true }))));

describeEventLog("embedded", async (options) => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-log-"));
  dirs.push(dir);
  return openEmbeddedLog({ ...options, dir });
});
