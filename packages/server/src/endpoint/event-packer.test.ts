import { isDeepStrictEqual } from "node:util";
import { parsePublishedEvent, type EventRules } from "@sluice/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventDraft } from "../log/event-log.js";
import { EventPacker } from "./event-packer.js";
import { draftOf } from "./publish-draft.js";

const rules: EventRules = { payloadBytesMax: 1_000, receivedAt: "2026-01-31T12:00:00.000Z" };
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;

const plain = (draft: EventDraft): unknown => ({
  eventId: draft.eventId.replaceAll(uuid, "<new>"),
  eventType: draft.eventType,
  clusterId: draft.clusterId,
  fields: draft.fields.toString().replaceAll(uuid, "<new>"),
});

/** What the ordinary way makes of a text; undefined where it refuses. */
function ordinary(text: string): unknown {
  const parsed = parsePublishedEvent(JSON.parse(text), rules);
  return parsed.ok ? plain(draftOf(parsed.event)) : undefined;
}

function packed(text: string, before = "", behind = ""): unknown {
  const body = Buffer.from(before + text + behind);
  const start = Buffer.byteLength(before);
  const draft = new EventPacker(body, rules, 100_000).pack(start, start + Buffer.byteLength(text));
  return draft && plain(draft);
}

const name = fc.stringMatching(/^[A-Za-z0-9_.:-]{1,12}$/);
const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20, unit: "grapheme" }), fc.constant(""));
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e21, 1e-7, 0.000001, 1.5, 100, 1e15, 1e16, 1777777777777.777),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    number,
    text,
    fc.constantFrom(null, true, false),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(text, fc.constantFrom("a", "b", "1", "__proto__")), tie("value"), { maxKeys: 5 }),
  ),
}));
/** Mostly what is good. */
const mostly = <Good, Bad>(good: fc.Arbitrary<Good>, bad: fc.Arbitrary<Bad>): fc.Arbitrary<Good | Bad> =>
  fc.oneof({ weight: 15, arbitrary: good }, { weight: 1, arbitrary: bad });
const event = fc.record(
  {
    event_type: mostly(name, text),
    payload: value,
    cluster_id: mostly(name, fc.constant(null)),
    event_id: mostly(name, fc.oneof(text, fc.string({ minLength: 250, maxLength: 260 }))),
    timestamp: mostly(
      fc.constantFrom("2026-01-31T12:00:00Z", "2026-01-31T14:00:00.5+02:00", "2026-01-31T12:00:00.000Z"),
      fc.constantFrom("2026-02-30T12:00:00.000Z", 7),
    ),
    source: mostly(name, text),
    subject: mostly(name, text),
    other: value,
    "": value,
  },
  { requiredKeys: ["event_type", "payload"] },
);
/** White space goes where it may. */
const spaced = (json: string, spaces: readonly string[]): string => {
  let index = 0;
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]/g, (token) => {
    index += 1;
    const space = spaces[index % Math.max(1, spaces.length)] ?? "";
    return token.startsWith('"') ? token : `${space}${token}${space}`;
  });
};

describe("EventPacker", () => {
  it("packs what the ordinary way comes to, or nothing", () => {
    const space = fc.array(fc.constantFrom("", "", " ", "\n", "\t\r"), { maxLength: 5 });
    let packedCount = 0;
    fc.assert(
      fc.property(event, space, (sent, spaces) => {
        const json = spaced(JSON.stringify(sent), spaces);
        const got = packed(json.trim());
        if (got === undefined) return;
        packedCount += 1;
        expect(got).toEqual(ordinary(json));
      }),
      { numRuns: 3_000 },
    );
    expect(packedCount).toBeGreaterThan(300);
  });

  it("packs nothing that isn't JSON, or that is changed on its way", () => {
    fc.assert(
      fc.property(event, fc.nat(), fc.integer({ min: 0x20, max: 0x7e }), (sent, place, byte) => {
        const bytes = Buffer.from(JSON.stringify(sent));
        bytes[place % bytes.length] = byte;
        const json = bytes.toString();
        const got = packed(json);
        return got === undefined || isDeepStrictEqual(got, ordinary(json));
      }),
      { numRuns: 3_000 },
    );
    expect(packed("x")).toBeUndefined();
  });

  it.each([
    `{"event_type":"A","payload":{}}`,
    `{"event_type":"A","cluster_id":"c-1","payload":{"sent_at":1777777777777.777,"gpu":"gpu-0","note":"xx"}}`,
    `{ "payload" : [ 1, -2.5, "a\\"\\\\\\n é 😀", [], { }, null, true, false ] , "event_type" : "A" }\n`,
    `{"event_type":"A","event_id":"e-1","timestamp":"2026-01-31T14:00:00+02:00","source":"/s","subject":"t u","payload":0}`,
    `{"event_type":"A","payload":"${"x".repeat(998)}"}`,
    `{"other": {"payload":[7]},"event_type":"A","payload":1,"events":"b","other":2}`,
    `{"event_type":"${"A".repeat(128)}","event_id":"${"i".repeat(256)}","payload":${"[".repeat(61)}${"]".repeat(61)}}`,
  ])("packs %s", (json) => {
    expect(packed(json, '[{"a":1},', ',{"b":2}]')).toEqual(ordinary(json));
    expect(packed(json)).toBeDefined();
  });

  it.each([
    ["a key given twice", `{"event_type":"A","payload":{"a":1,"a":2}}`],
    ["a key given twice, deep down", `{"event_type":"A","payload":[{"b":{"a":1,"c":2,"a":2}}]}`],
    ["a member given twice", `{"event_type":"A","payload":1,"payload":2}`],
    ["a key that would come first", `{"event_type":"A","payload":{"a":1,"1":2}}`],
    ["a number written otherwise", `{"event_type":"A","payload":1.0}`],
    ["a number beyond a double", `{"event_type":"A","payload":1e999}`],
    ["a number of more digits than a double", `{"event_type":"A","payload":12345678901234567890}`],
    ["minus zero", `{"event_type":"A","payload":-0}`],
    ["a leading zero", `{"event_type":"A","payload":01}`],
    ["an escape that isn't needed", `{"event_type":"A","payload":"\\u0041"}`],
    ["a lone surrogate", `{"event_type":"A","payload":"\\ud800"}`],
    ["a control character", `{"event_type":"A","payload":"\t"}`],
    ["a comma too many", `{"event_type":"A","payload":[1,]}`],
    ["a comma too many behind a member", `{"event_type":"A","payload":{"a":1,}}`],
    ["too deep a payload", `{"event_type":"A","payload":${"[".repeat(62)}${"]".repeat(62)}}`],
    ["too large a payload", `{"event_type":"A","payload":"${"x".repeat(999)}"}`],
    ["no payload", `{"event_type":"A"}`],
    ["no type", `{"payload":1}`],
    ["an empty type", `{"event_type":"","payload":1}`],
    ["too long a type", `{"event_type":"${"A".repeat(129)}","payload":1}`],
    ["too long an id", `{"event_type":"A","event_id":"${"i".repeat(257)}","payload":1}`],
    ["no time", `{"event_type":"A","timestamp":"2026-02-30T12:00:00.000Z","payload":1}`],
    ["a source without an id", `{"event_type":"A","source":"s","payload":1}`],
    ["a large member of another name", `{"event_type":"A","payload":1,"other":"${"x".repeat(8_200)}"}`],
    ["a member whose name is escaped", `{"event_type":"A","payload":1,"paylo\\u0061d":2}`],
    ["a member that is no JSON", `{"event_type":"A","payload":1,"other":x}`],
    ["no end", `{"event_type":"A","payload":1`],
    ["nothing", `{}`],
    ["another value", `[]`],
    ["something behind it", `{"event_type":"A","payload":1} x`],
  ])("leaves %s to the ordinary way", (_, json) => {
    expect(packed(json)).toBeUndefined();
  });

  it("goes no further than the text, though it goes on behind", () => {
    const json = `{"event_type":"A","payload":{"a":1}}`;
    const body = Buffer.from(json);
    for (let end = 0; end < body.length; end += 1) {
      expect(new EventPacker(body, rules, 100_000).pack(0, end)).toBeUndefined();
      expect(new EventPacker(body.subarray(0, end), rules, 100_000).pack(0, end)).toBeUndefined();
    }
    expect(new EventPacker(body, rules, body.length - 1).pack(0, body.length)).toBeUndefined();
    expect(new EventPacker(body, rules, body.length).pack(0, body.length)).toBeDefined();
  });

  it("lays the events of a body side by side, and a large one apart", () => {
    const json = `{"event_type":"A","payload":{"a":1}}`;
    const large = `{"event_type":"A","payload":"${"x".repeat(70_000)}"}`;
    const body = Buffer.from([json, json, large, json].join("\n"));
    const packer = new EventPacker(body, { ...rules, payloadBytesMax: 100_000 }, 100_000);
    const [one, two, three, four] = [0, 1, 2, 3].map((index) => {
      const start = [0, json.length + 1, 2 * json.length + 2, 2 * json.length + 3 + large.length][index] ?? 0;
      const lineEnd = body.indexOf("\n", start);
      return packer.pack(start, lineEnd === -1 ? body.length : lineEnd);
    });
    expect(two?.bytes).toBe(one?.bytes);
    expect(two?.start).toBe(one?.end);
    expect(three?.bytes.length).toBeLessThan(75_000);
    expect(four?.bytes).toBe(one?.bytes);
    expect(four?.fields.toString()).toContain('"payload":{"a":1}');
  });
});
