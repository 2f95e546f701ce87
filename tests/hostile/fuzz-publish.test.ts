// Any body of a publish: what JSON.parse takes as events is accepted and comes back from the history as it was; anything
// else is refused as a whole, by name, and never with 500.
import fc from "fast-check";
import { publisherToken, request } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doors, errorsOf, type Door } from "./doors.js";
import { fuzzing, fuzzMs } from "./fuzz.js";

const token = publisherToken();
const name = fc.stringMatching(/^[A-Za-z0-9_.:-]{1,20}$/);
const event = fc.record(
  {
    event_type: name,
    cluster_id: name,
    payload: fc.jsonValue({ maxDepth: 3, stringUnit: "grapheme" }),
    subject: fc.string({ minLength: 1, maxLength: 20 }),
  },
  { requiredKeys: ["event_type", "payload"] },
);
type Event = Readonly<Record<string, unknown>>;

interface History {
  readonly events: readonly Event[];
}

describe.each(doors)("on the %s", (door_, open) => {
  let door: Door;
  beforeAll(async () => {
    door = await open();
  });
  afterAll(async () => {
    await door[Symbol.asyncDispose]();
  });

  const send = (contentType: string, body: Uint8Array<ArrayBuffer> | string) =>
    request(door.url, "/api/v1/events", { method: "POST", token, headers: { "content-type": contentType }, body });

  it(
    "events that are right come back as they were",
    async () => {
      const form = fc.constantFrom("application/json", "application/x-ndjson");
      const property = fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 8 }),
        form,
        async (events, contentType) => {
          const lines = events.map((one) => JSON.stringify(one));
          const answer = await send(
            contentType,
            contentType === "application/json" ? `[${lines.join(",")}]` : lines.join("\n"),
          );
          const problem = answer.json as { readonly field?: string };
          // A subject may not hold everything that a string may.
          if (answer.status === 400 && problem.field === "subject") return;
          expect([answer.status, answer.status === 202 ? "" : answer.text]).toEqual([202, ""]);
          const { first_seq: first, accepted } = answer.json as { first_seq: number; accepted: number };
          expect(accepted).toBe(events.length);
          const page = await request(door.url, `/api/v1/events?since=${first - 1}&limit=${accepted}`, { token });
          const kept = (page.json as History).events;
          expect(kept.map(({ event_type, cluster_id, payload }) => ({ event_type, cluster_id, payload }))).toEqual(
            events.map(({ event_type, cluster_id, payload }) => ({
              event_type,
              cluster_id,
              payload: JSON.parse(JSON.stringify(payload)) as unknown,
            })),
          );
        },
      );
      await fc.assert(property, fuzzing(`events on the ${door_}`, 100) as fc.Parameters<[Event[], string]>);
    },
    fuzzMs,
  );

  it(
    "a body with bytes changed is accepted only if JSON.parse takes it, and refused by name else",
    async () => {
      const change = fc.tuple(fc.nat(), fc.constantFrom("set", "cut", "insert"), fc.integer({ min: 0, max: 255 }));
      const changes = fc.array(change, { minLength: 1, maxLength: 4 });
      const property = fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 3 }),
        changes,
        async (events, edits) => {
          let body = Buffer.from(JSON.stringify(events));
          for (const [place, how, byte] of edits) {
            const at = place % (body.length + 1);
            const rest = how === "insert" ? at : at + 1;
            body = Buffer.concat([
              body.subarray(0, at),
              how === "cut" ? Buffer.alloc(0) : Buffer.from([byte]),
              body.subarray(rest),
            ]);
          }
          const { status, json } = await send("application/json", new Uint8Array(body));
          expect([202, 400, 413]).toContain(status);
          if (status === 202) {
            const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
            expect((json as { accepted: number }).accepted).toBe(Array.isArray(parsed) ? parsed.length : 1);
          } else {
            expect((json as { type: string }).type).toMatch(/^urn:sluice:problem:/);
          }
        },
      );
      await fc.assert(
        property,
        fuzzing(`changed bodies on the ${door_}`, 200) as fc.Parameters<[Event[], [number, string, number][]]>,
      );
      expect(errorsOf(door)).toEqual([]);
    },
    fuzzMs,
  );
});
