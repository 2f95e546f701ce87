// Directories for tests of the embedded engine, and logs in them.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openEmbeddedLog } from "../embedded-log.js";
import type { EventLog } from "../event-log.js";
import type { LogOptions } from "../log-options.js";
import { logOptionsOf } from "./log-under-test.js";

/** A directory of its own, removed after the test. */
export async function makeLogDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-log-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Opens the log in `dir` with default options but for those given; closed after the test if not before. */
export async function openLogIn(dir: string, over: Partial<LogOptions> = {}): Promise<EventLog> {
  const log = await openEmbeddedLog({ ...logOptionsOf(over), dir });
  onTestFinished(() => log.close());
  return log;
}
