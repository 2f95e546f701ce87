// Closing: what is under way is finished, nothing begins.
import { describe, expect, it } from "vitest";
import { draftOf, draftsOf, type OpenLog } from "./log-under-test.js";

/** Part of the suite of every engine. */
export function describeClosing(open: OpenLog): void {
  describe("close", () => {
    it("finishes the appends that wait, and refuses later ones", async () => {
      const log = await open();
      const told: number[] = [];
      log.follow((records) => told.push(records.length));
      const appends = [log.append(draftsOf(1, 10)), log.append(draftsOf(11, 5))];
      const closing = log.close();
      const late = log.append([draftOf(99)]);
      await expect(late).rejects.toMatchObject({ name: "LogError", code: "LOG_CLOSED" });
      await closing;
      expect(await Promise.all(appends)).toMatchObject([{ lastSeq: 10 }, { lastSeq: 15 }]);
      expect(told.reduce((sum, count) => sum + count)).toBe(15);
      await expect(log.append([draftOf(99)])).rejects.toMatchObject({ code: "LOG_CLOSED" });
      await expect(log.read(0, { limit: 1 })).rejects.toMatchObject({ code: "LOG_CLOSED" });
      await expect(log.scan(0, { limit: 1 }, () => undefined)).rejects.toMatchObject({ code: "LOG_CLOSED" });
      expect(log.stats().state).toBe("closed");
    });

    it("may be called twice", async () => {
      const log = await open();
      await Promise.all([log.close(), log.close()]);
      await log.close();
      expect(log.stats().state).toBe("closed");
    });
  });
}
