import { describe, expect, it } from "vitest";
import type { PublishEnd } from "./publish-lines.js";
import { endError, summaryText } from "./publish-summary.js";

const so = { events: 100_000, duplicates: 0, firstSeq: 1, lastSeq: 100_000, lastLine: 100_001, elapsedMs: 1_400 };
const none = { events: 0, duplicates: 0, firstSeq: 0, lastSeq: 0, lastLine: 0, elapsedMs: 5 };
const place = { input: "events.ndjson", address: "http://x", tokenName: "SLUICE_TOKEN" };

describe("summaryText", () => {
  it.each([
    [so, "published 100,000 events in 1.4 s (71,429/s), seq 1–100000"],
    [
      { ...so, duplicates: 1_000 },
      "published 100,000 events in 1.4 s (71,429/s), seq 1–100000; 1,000 of them had been there already",
    ],
    [{ ...so, events: 1, lastSeq: 1, elapsedMs: 10 }, "published 1 event in 10 ms (100/s), seq 1"],
    [none, "published no events"],
  ])("sums up", (counts, text) => {
    expect(summaryText(counts)).toBe(text);
  });
});

describe("endError", () => {
  const cases: readonly (readonly [Exclude<PublishEnd, { kind: "done" }>, number, string, string])[] = [
    [
      { kind: "bad-line", line: 100_002, field: "event_type", problem: "is required" },
      65,
      "events.ndjson, line 100002: event_type is required",
      "(lines up to 100001). Put the line right and go on with --from-line 100002.",
    ],
    [
      { kind: "unreadable", error: Object.assign(new Error(), { code: "EISDIR" }) },
      66,
      "events.ndjson is a directory",
      "Published 100,000",
    ],
    [{ kind: "interrupted" }, 130, "interrupted", "Go on with --from-line 100002."],
    [
      { kind: "gave-up", why: "away", mayBeStored: true },
      69,
      "http://x: away",
      "Whether the request after that was stored is not known.",
    ],
    [{ kind: "refused", why: "bad", status: 400, line: 7 }, 65, "events.ndjson, line 7: bad", "Go on with --from-line"],
    [{ kind: "refused", why: "bad", status: 415, line: undefined }, 1, "http://x: bad", "Published"],
    [{ kind: "refused", why: "no", status: 403, line: 7 }, 77, "http://x: no (events.ndjson, line 7)", "SLUICE_TOKEN"],
    [{ kind: "refused", why: "no", status: 401, line: undefined }, 77, "http://x: no", "events:publish"],
  ];

  it.each(cases)("ends %j with %i", (end, exitCode, message, hint) => {
    const error = endError(end, so, place);
    expect([error.exitCode, error.message]).toEqual([exitCode, message]);
    expect(error.hint).toContain(hint);
  });

  it("does not send anybody to a line when nothing was published", () => {
    const error = endError({ kind: "gave-up", why: "away", mayBeStored: false }, none, place);
    expect(error.hint).toBe("Nothing was published.");
  });
});
