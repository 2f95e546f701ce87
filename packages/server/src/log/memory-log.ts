// The engine without a disk: for tests and throw-away use.
import type { EventLog } from "./event-log.js";
import type { LogOptions } from "./log-options.js";
import { MemoryStore } from "./memory-store.js";
import { StoredLog } from "./stored-log.js";

/** Makes an empty log in memory, with an epoch of its own; what it holds ends with it. */
export function createMemoryLog(options: LogOptions): EventLog {
  return new StoredLog(new MemoryStore(options.retention), options);
}
