import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { DeadlineError, withDeadline } from "./deadline.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("is what the work comes to", async () => {
  await expect(withDeadline("work", 10, async () => "done")).resolves.toBe("done");
  await expect(withDeadline("work", 10, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(vi.getTimerCount()).toBe(0);
});

it("is over at the deadline and not before, and says what was waited for", async () => {
  let signal: AbortSignal | undefined;
  const finish = new AbortController();
  const promise = new Promise<string>((resolve) => {
    finish.signal.addEventListener("abort", () => resolve("too late"));
  });
  const late = withDeadline("flushing the log", 10, (given) => {
    signal = given;
    return promise;
  });
  const outcome = late.catch((error: unknown) => error);
  vi.advanceTimersByTime(9);
  expect(signal?.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(signal?.reason).toMatchObject({ what: "flushing the log", deadlineMs: 10 });
  finish.abort();
  await expect(outcome).resolves.toEqual(new DeadlineError("flushing the log", 10));
});
