import { describe, expect, it } from "vitest";
import { ReconnectBackoff } from "../stream/reconnect-backoff.js";
import type { EventBatch } from "./event-batch.js";
import type { PostOutcome } from "./post-events.js";
import { sendBatch, type SendOutcome } from "./send-batch.js";

const batch: EventBatch = { texts: ["a", "b", "c"], lines: [10, 20, 30] };
const accepted: PostOutcome = { kind: "accepted", accepted: 3, firstSeq: 1, lastSeq: 3, duplicates: 0 };
const away = (retryAfterMs?: number, mayBeStored = false): PostOutcome => ({
  kind: "unavailable",
  why: "away",
  retryAfterMs,
  mayBeStored,
});

interface Run {
  readonly outcome: SendOutcome;
  readonly bodies: readonly string[];
  readonly waits: readonly number[];
  readonly accepted: readonly (readonly number[])[];
}

/** Waiting moves the clock; nothing takes time. */
async function run(answers: readonly PostOutcome[], retryForMs: number, interruptAt?: number): Promise<Run> {
  const bodies: string[] = [];
  const waits: number[] = [];
  const acceptedLines: (readonly number[])[] = [];
  const interruption = new AbortController();
  let now = 0;
  const outcome = await sendBatch(batch, {
    post: (body) => {
      bodies.push(body);
      return Promise.resolve(answers[bodies.length - 1] ?? accepted);
    },
    retryForMs,
    onRetry: (_why, retryInMs) => waits.push(retryInMs),
    onAccepted: (_outcome, { lines }) => acceptedLines.push(lines),
    interrupted: interruption.signal,
    now: () => now,
    backoff: new ReconnectBackoff(() => 0),
    wait: (ms) => {
      now += ms;
      if (waits.length === interruptAt) interruption.abort();
      return Promise.resolve();
    },
  });
  return { outcome, bodies, waits, accepted: acceptedLines };
}

describe("sendBatch", () => {
  it("sends once what is accepted", async () => {
    const { outcome, bodies, accepted: lines } = await run([], 0);
    expect([outcome, bodies, lines]).toEqual([{ kind: "accepted" }, ["a\nb\nc\n"], [[10, 20, 30]]]);
  });

  it("sends the same again until the service is back", async () => {
    const { outcome, bodies, waits } = await run([away(), away()], 30_000);
    expect(outcome).toEqual({ kind: "accepted" });
    expect(new Set(bodies).size).toBe(1);
    expect(waits).toEqual([500, 500]);
  });

  it("waits for as long as the service asks", async () => {
    expect((await run([away(3_000)], 30_000)).waits).toEqual([3_000]);
  });

  it.each([
    [999, 1],
    [1_000, 2],
    [1_001, 2],
  ])("gives up after %i ms, at the edge of what was allowed", async (retryForMs, tries) => {
    const { outcome, waits } = await run([away(), away(), away(), away()], retryForMs);
    expect(outcome).toEqual({ kind: "gave-up", why: "away", mayBeStored: false });
    expect(waits).toHaveLength(tries);
  });

  it("remembers that an earlier try may have been stored", async () => {
    const { outcome } = await run([away(0, true), away()], 600);
    expect(outcome).toMatchObject({ kind: "gave-up", mayBeStored: true });
  });

  it("does not try again what is refused, and names the line", async () => {
    const refused: PostOutcome = { kind: "refused", status: 400, why: "bad", index: 1 };
    const { outcome, bodies } = await run([refused], 30_000);
    expect(outcome).toEqual({ kind: "refused", why: "bad", status: 400, line: 20 });
    expect(bodies).toHaveLength(1);
  });

  it("halves what is too large, in order", async () => {
    const tooLarge: PostOutcome = { kind: "too-large", why: "large" };
    const { outcome, bodies, accepted: lines } = await run([tooLarge, tooLarge], 0);
    expect(outcome).toEqual({ kind: "accepted" });
    expect(bodies).toEqual(["a\nb\nc\n", "a\nb\n", "a\n", "b\n", "c\n"]);
    expect(lines).toEqual([[10], [20], [30]]);
  });

  it("gives up on a single event that is too large", async () => {
    const tooLarge: PostOutcome = { kind: "too-large", why: "large" };
    const { outcome } = await run([tooLarge, tooLarge, tooLarge], 0);
    expect(outcome).toEqual({ kind: "refused", why: "large", status: 413, line: 10 });
  });

  it("stops waiting when interrupted", async () => {
    const { outcome, bodies } = await run([away(), away(), away()], 30_000, 1);
    expect([outcome, bodies.length]).toEqual([{ kind: "interrupted" }, 1]);
  });
});
