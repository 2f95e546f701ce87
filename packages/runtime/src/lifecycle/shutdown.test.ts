import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { shutDown } from "./shutdown.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recorder() {
  const lines: unknown[][] = [];
  const logger = {
    info: (...line: unknown[]) => void lines.push(line),
    error: (...line: unknown[]) => void lines.push(line),
  };
  let now = 0;
  const clock = { now: () => (now += 1.4), wall: () => 0 };
  return { lines, logger, clock };
}

it("runs stages one after the other, and logs each", async () => {
  const { lines, logger, clock } = recorder();
  const order: string[] = [];
  const stage = (name: string) => ({
    name,
    deadlineMs: 10,
    run: async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
    },
  });
  await expect(shutDown([stage("drain"), stage("close")], { logger, clock })).resolves.toEqual([]);
  expect(order).toEqual(["drain begins", "drain ends", "close begins", "close ends"]);
  expect(lines).toEqual([
    [{ stage: "drain", duration_ms: 1 }, "stage of the shutdown done"],
    [{ stage: "close", duration_ms: 1 }, "stage of the shutdown done"],
  ]);
});

it("goes on after a stage that fails, throws at once, or is late", async () => {
  const { lines, logger, clock } = recorder();
  const last = vi.fn<() => Promise<void>>(async () => undefined);
  const never = new Promise<void>(() => undefined);
  const broken = (): Promise<void> => {
    throw new Error("at once");
  };
  const ended = shutDown(
    [
      { name: "fails", deadlineMs: 10, run: () => Promise.reject(new Error("broken")) },
      { name: "throws", deadlineMs: 10, run: broken },
      { name: "hangs", deadlineMs: 10, run: () => never },
      { name: "last", deadlineMs: 10, run: last },
    ],
    { logger, clock },
  );
  await vi.advanceTimersByTimeAsync(10);
  await expect(ended).resolves.toEqual(["fails", "throws", "hangs"]);
  expect(last).toHaveBeenCalledOnce();
  expect(lines.map(([, message]) => message)).toEqual([
    ...Array.from({ length: 3 }, () => "stage of the shutdown failed"),
    "stage of the shutdown done",
  ]);
});
