// Opens the engine that the settings name.

import type { Clock, Settings } from "@sluice/runtime";
import { openEmbeddedLog } from "./log/embedded-log.js";
import type { EventLog } from "./log/event-log.js";
import type { CommitReport } from "./log/log-options.js";
import { createMemoryLog } from "./log/memory-log.js";

export interface OpenLogOptions {
  readonly settings: Settings["log"];
  readonly clock: Clock;
  readonly onError: (error: Error) => void;
  readonly onCommit: (report: CommitReport) => void;
}

/** @throws {LogError} as `openEmbeddedLog`. */
export async function openLog({ settings, clock, onError, onCommit }: OpenLogOptions): Promise<EventLog> {
  const { retention, dedup } = settings;
  const options = {
    clock,
    onError,
    onCommit,
    retention: { maxEvents: retention.max_events, maxAgeMs: retention.max_age_ms, maxBytes: retention.max_bytes },
    dedup: { windowMs: dedup.window_ms, maxIds: dedup.max_ids },
  };
  if (settings.engine === "memory") return createMemoryLog(options);
  return openEmbeddedLog({ ...options, dir: settings.dir });
}
