import { describe, expect, it } from "vitest";
import type { EventBatch } from "./event-batch.js";
import type { PostOutcome } from "./post-outcome.js";
import { sendBatch, type SendOutcome } from "./send-batch.js";

const batch: EventBatch = { texts: ["a", "b", "c"], lines: [10, 20, 30] };
const accepted: PostOutcome = { kind: "accepted", accepted: 3, firstSeq: 1, lastSeq: 3, duplicates: 0 };

interface Run {
  readonly outcome: SendOutcome;
  readonly sent: readonly (readonly string[])[];
  readonly accepted: readonly (readonly number[])[];
}

async function run(...answers: readonly PostOutcome[]): Promise<Run> {
  const sent: (readonly string[])[] = [];
  const acceptedLines: (readonly number[])[] = [];
  const outcome = await sendBatch(batch, {
    post: (texts) => {
      sent.push(texts);
      return Promise.resolve(answers[sent.length - 1] ?? accepted);
    },
    onAccepted: (_outcome, { lines }) => acceptedLines.push(lines),
  });
  return { outcome, sent, accepted: acceptedLines };
}

describe("sendBatch", () => {
  it("sends once what is accepted", async () => {
    const { outcome, sent, accepted: lines } = await run();
    expect([outcome, sent, lines]).toEqual([{ kind: "accepted" }, [["a", "b", "c"]], [[10, 20, 30]]]);
  });

  it("says what is given up, and whether it may be stored", async () => {
    const { outcome } = await run({ kind: "unavailable", why: "away", mayBeStored: true });
    expect(outcome).toEqual({ kind: "gave-up", why: "away", mayBeStored: true });
    expect((await run({ kind: "interrupted" })).outcome).toEqual({ kind: "interrupted" });
  });

  it("names the line of what is refused", async () => {
    const { outcome } = await run({ kind: "refused", status: 400, why: "bad", index: 1 });
    expect(outcome).toEqual({ kind: "refused", why: "bad", status: 400, line: 20 });
  });

  it("halves what is too large, in order", async () => {
    const tooLarge: PostOutcome = { kind: "too-large", why: "large" };
    const { outcome, sent, accepted: lines } = await run(tooLarge, tooLarge);
    expect(outcome).toEqual({ kind: "accepted" });
    expect(sent).toEqual([["a", "b", "c"], ["a", "b"], ["a"], ["b"], ["c"]]);
    expect(lines).toEqual([[10], [20], [30]]);
  });

  it("gives up on a single event that is too large, and on what follows a failure", async () => {
    const tooLarge: PostOutcome = { kind: "too-large", why: "large" };
    const { outcome } = await run(tooLarge, tooLarge, tooLarge);
    expect(outcome).toEqual({ kind: "refused", why: "large", status: 413, line: 10 });
  });
});
