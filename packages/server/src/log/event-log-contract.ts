// What every engine of the log must do, as one suite of tests run over each.
import { afterEach, describe, vi } from "vitest";
import { describeAppend } from "./contract/append-contract.js";
import { describeClosing } from "./contract/closing-contract.js";
import { describeDedup } from "./contract/dedup-contract.js";
import { describeFollow } from "./contract/follow-contract.js";
import { localTraits, logOptionsOf, type LogTraits, type OpenLog } from "./contract/log-under-test.js";
import { describeRead } from "./contract/read-contract.js";
import { describeRetention } from "./contract/retention-contract.js";
import type { EventLog } from "./event-log.js";
import type { LogOptions } from "./log-options.js";

/**
 * Runs the suite over an engine.
 * @param openEmpty opens an empty log; the suite closes it
 * @param traits where the engine's time and storage are its own
 */
export function describeEventLog(
  name: string,
  openEmpty: (options: LogOptions) => Promise<EventLog>,
  traits: LogTraits = localTraits,
): void {
  describe(`EventLog: ${name}`, () => {
    const opened: EventLog[] = [];
    const open: OpenLog = async (over = {}) => {
      const log = await openEmpty(logOptionsOf(over));
      opened.push(log);
      return log;
    };
    afterEach(async () => {
      vi.useRealTimers();
      await Promise.all(opened.splice(0).map((log) => log.close()));
    });
    describeAppend(open, traits);
    describeDedup(open, traits);
    describeRead(open, traits);
    describeFollow(open);
    describeRetention(open, traits);
    describeClosing(open);
  });
}
