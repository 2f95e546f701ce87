// The two ways of taking in events, as bytes and as values, come to the same for any body: what is stored, and what is
// answered where it is refused. `SLUICE_FUZZ_RUNS` for the length of a night.
import { isUtf8 } from "node:buffer";
import { allRights, type Rights } from "@sluice/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parsePublishBody, type PublishRules } from "./parse-publish-body.js";

type Parse = typeof parsePublishBody;

const limits = { payload_bytes: 200, publish_body_bytes: 1_000_000, publish_batch_events: 4 };
const clock = { now: () => 0, wall: () => Date.parse("2026-01-31T12:00:00.000Z") };
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
const numRuns = Number(process.env["SLUICE_FUZZ_RUNS"] ?? 3_000);

/** Without the packer: every event is decoded. */
let byValues: Parse;

beforeAll(async () => {
  vi.resetModules();
  vi.doMock("./event-packer.js", () => ({
    EventPacker: class {
      readonly endOf = (): number => -1;
      readonly pack = (): undefined => undefined;
    },
  }));
  ({ parsePublishBody: byValues } = await import("./parse-publish-body.js"));
});
afterAll(() => {
  vi.doUnmock("./event-packer.js");
});

async function outcome(parse: Parse, contentType: string, body: Buffer, rights: Rights = allRights): Promise<unknown> {
  const rules: PublishRules = { limits, rights, clock };
  const parsed = await parse({ contentType, headers: {}, body }, rules);
  if (!parsed.ok) return parsed.problem;
  return parsed.drafts.map(({ eventId, eventType, clusterId, fields }) => {
    const shown = fields.toString().replaceAll(uuid, "<new>");
    // Of a new id and a source comes a new digest.
    const id = shown.startsWith('"event_id":"<new>"') ? "<new>" : eventId;
    return { eventId: id, eventType, clusterId, fields: shown };
  });
}

async function expectSame(contentType: string, body: Buffer, rights?: Rights): Promise<unknown> {
  const bytes = await outcome(parsePublishBody, contentType, body, rights);
  expect(bytes).toEqual(await outcome(byValues, contentType, body, rights));
  return bytes;
}

/** One of them as often as its weight says. */
const oneOf = (...choices: readonly (readonly [weight: number, texts: readonly string[]])[]): fc.Arbitrary<string> =>
  fc.oneof(...choices.map(([weight, texts]) => ({ weight, arbitrary: fc.constantFrom(...texts) })));

const space = oneOf(
  [40, [""]],
  [8, [" ", "\n", "\r\n", "\t"]],
  [1, ["\f", "\v", "\u00a0", "\ufeff", "\0", "/**/", "\u2028"]],
);
const character = oneOf(
  [20, ["a", "b", "1", " ", "/", "é", "😀", "\u007f", "\u0080", "\u2028", "\ufeff"]],
  [6, ["\\n", '\\"', "\\\\", "\\b", "\\f", "\\r", "\\t"]],
  [
    1,
    ["\\/", "\\u0041", "\\u000a", "\\u001f", "\\ud83d\\ude00", "\\ud800", "\\udc00", "\\u00e9", "\\uD800", "\\u0000"],
  ],
  [1, ["\\x", "\\", "\\u12", "\t", "\0", "\u001f", '"', "\\'"]],
);
const string = fc.array(character, { maxLength: 5 }).map((parts) => `"${parts.join("")}"`);
const number = oneOf(
  [
    10,
    ["0", "1", "-1", "10", "1.5", "-0.5", "123456789012345", "0.1", "100000000000000000000", "1e+21", "1e-7", "5e-324"],
  ],
  [4, ["1.7976931348623157e+308", "9007199254740993", "0.000001", "0.0000001", "1234567890.123456", "4294967295"]],
  [
    4,
    [
      "-0",
      "-0.0",
      "1.0",
      "1.50",
      "1e5",
      "1E5",
      "1e21",
      "0e0",
      "1e400",
      "-1e400",
      "1e-400",
      "1e+07",
      "0.30000000000000004",
    ],
  ],
  [
    1,
    [
      "01",
      "-01",
      "1.",
      ".5",
      "+1",
      "-",
      "1e",
      "1e+",
      "0x1",
      "1_0",
      "NaN",
      "Infinity",
      "-Infinity",
      "1-2",
      "--1",
      "1.2.3",
    ],
  ],
  [1, ["9".repeat(24), "9".repeat(26), `0.${"1".repeat(23)}`, `1${"0".repeat(400)}`, `1e${"0".repeat(30)}1`]],
);
const literal = oneOf([10, ["true", "false", "null"]], [1, ["nul", "nulll", "True", "undefined", "tru\\u0065", "n"]]);
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('"a"', '"b"', '"c d"', '""', '"é"') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('"__proto__"', '"constructor"', '"toString"', '"toJSON"', '"length"', '"then"'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('"1"', '"0"', '"-1"', '"01"', '"4294967294"', '"4294967295"', '"1a"', '"\\u0061"'),
  },
  { weight: 1, arbitrary: string },
);
const joined = (open: string, parts: readonly string[], close: string, comma: string): string =>
  `${open}${parts.join(",")}${comma}${close}`;
const strayComma = oneOf([60, [""]], [1, [","]]);
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    number,
    string,
    literal,
    fc
      .tuple(
        fc.array(
          fc.tuple(space, tie("value"), space).map((parts) => parts.join("")),
          { maxLength: 3 },
        ),
        strayComma,
      )
      .map(([items, comma]) => joined("[", items, "]", comma)),
    fc
      .tuple(
        fc.array(
          fc.tuple(space, key, space, tie("value"), space).map(([a, k, b, v, c]) => `${a}${k}${b}:${a}${v}${c}`),
          { maxLength: 3 },
        ),
        strayComma,
      )
      .map(([members, comma]) => joined("{", members, "}", comma)),
  ),
}));
const depths = fc.integer({ min: 59, max: 63 });
const deep = fc.oneof(
  depths.map((depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`),
  depths.map((depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`),
  fc.integer({ min: 197, max: 199 }).map((length) => `"${"x".repeat(length)}"`),
);

const lengths = (max: number): fc.Arbitrary<string> =>
  fc.constantFrom(max - 1, max, max + 1).map((length) => `"${"x".repeat(length)}"`);
const name = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('"A"', '"B"', '"GPU_UPDATE"', '"c-1"', '"a.b:c"') },
  {
    weight: 1,
    arbitrary: fc.oneof(lengths(128), string, number, fc.constantFrom("null", '"a*"', '"*"', '"\\u0041"', '"é"')),
  },
);
const text = (max: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('"x"', '"e-1"', '"/a b"', '"~"') },
    { weight: 2, arbitrary: fc.oneof(lengths(max), string, number) },
    { weight: 1, arbitrary: fc.constantFrom("null", '"\\u0065"', '"\u007f"', '"\\n"', "[]", "{}", '"\u00a0"', '""') },
  );
const time = oneOf(
  [
    10,
    ['"2026-01-31T12:00:00.000Z"', '"2026-01-31T12:00:00Z"', '"2026-01-31t14:00:00.5+02:00"', '"2016-12-31T23:59:60Z"'],
  ],
  [
    1,
    ['"2026-02-30T12:00:00.000Z"', '"0000-01-01T00:00:00.000+00:01"', "7", '""', '"9999-12-31T23:59:59.9999Z"', "null"],
  ],
);
const member = (plain: string, worth: fc.Arbitrary<string>, escaped = plain): fc.Arbitrary<string> =>
  fc
    .tuple(
      space,
      oneOf([30, [`"${plain}"`]], [1, [`"${escaped}"`, `"${plain}\\u0000"`, `"${plain} "`]]),
      space,
      worth,
      space,
    )
    .map(([a, k, b, v, c]) => `${a}${k}${b}:${b}${v}${c}`);
const eventType = member("event_type", name, "\\u0065vent_type");
const payload = member(
  "payload",
  fc.oneof({ weight: 8, arbitrary: value }, { weight: 1, arbitrary: deep }),
  "paylo\\u0061d",
);
const optional = fc.oneof(
  member("cluster_id", name, "cluster\\u005fid"),
  member("event_id", text(256), "event_i\\u0064"),
  member("timestamp", time, "timest\\u0061mp"),
  member("source", text(1_024), "\\u0073ource"),
  member("subject", text(1_024), "subj\\u0065ct"),
  fc.tuple(key, value).map(([k, v]) => `${k}:${v}`),
);
const event = fc
  .tuple(
    eventType,
    payload,
    fc.array(optional, { maxLength: 4 }),
    fc.boolean(),
    fc.integer({ min: 0, max: 40 }),
    strayComma,
  )
  .map(([type, load, others, isLoadFirst, fault, comma]) => {
    const members = isLoadFirst ? [load, ...others, type] : [type, ...others, load];
    if (fault === 0) members.push(type);
    if (fault === 1) members.push(load);
    if (fault === 2) members.pop();
    return joined("{", members, "}", comma);
  });
/** Few, most of them good. */
const events = fc.array(fc.oneof({ weight: 15, arbitrary: event }, { weight: 1, arbitrary: value }), {
  minLength: 1,
  maxLength: 5,
});

const cut = (body: Buffer, edits: readonly (readonly [number, number, Uint8Array])[]): Buffer => {
  let edited = body;
  for (const [place, removed, added] of edits) {
    const at = place % (edited.length + 1);
    edited = Buffer.concat([edited.subarray(0, at), added, edited.subarray(at + removed)]);
  }
  return edited;
};
/** Mostly none. */
const edits = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 3 })), {
      maxLength: 3,
    }),
  },
);

/** What is made of a body when it is good, by JSON.parse alone. */
function countByJson(contentType: string, body: Buffer): number {
  const texts = body.toString().replace(/^\ufeff/, "");
  if (contentType === "application/json") {
    const parsed: unknown = JSON.parse(texts);
    return Array.isArray(parsed) ? parsed.length : 1;
  }
  const lines = texts.split("\n").filter((line) => /[^ \t\r]/.test(line));
  for (const line of lines) JSON.parse(line);
  return lines.length;
}

async function expectSound(contentType: string, body: Buffer): Promise<boolean> {
  const came = await expectSame(contentType, body);
  if (!Array.isArray(came)) return false;
  expect(isUtf8(body)).toBe(true);
  expect(came.length).toBe(countByJson(contentType, body));
  return true;
}

describe("events as bytes and as values", () => {
  it("come to the same from an array or a single event", async () => {
    let accepted = 0;
    const property = fc.asyncProperty(events, space, edits, fc.boolean(), async (list, around, changes, isOne) => {
      const json = isOne ? (list[0] ?? "") : `[${list.join(`${around},`)}]`;
      if (await expectSound("application/json", cut(Buffer.from(`${around}${json}${around}`), changes))) accepted += 1;
    });
    await fc.assert(property, { numRuns });
    expect(accepted).toBeGreaterThan(numRuns / 10);
  });

  it("come to the same from lines", async () => {
    let accepted = 0;
    const lineEnd = oneOf([8, ["\n", "\r\n"]], [2, ["\n\n", " \n\t\n", "\n\r\n"]], [1, ["\r", "\n,", "\u2028", ""]]);
    const property = fc.asyncProperty(events, lineEnd, edits, fc.boolean(), async (list, end, changes, isEnded) => {
      const lines = list.map((line) => line.replaceAll("\n", " ")).join(end) + (isEnded ? end : "");
      if (await expectSound("application/x-ndjson", cut(Buffer.from(lines), changes))) accepted += 1;
    });
    await fc.assert(property, { numRuns });
    expect(accepted).toBeGreaterThan(numRuns / 10);
  });

  it("are held to the rights of their publisher one by one", async () => {
    const rights: Rights = {
      ...{ events: ["GPU_*", "A"], clusters: ["c-1"], publish: true, admin: false },
      alternatives: [{ events: ["B"], clusters: null, publish: true }],
    };
    const property = fc.asyncProperty(events, async (list) => {
      const came = await expectSame("application/json", Buffer.from(`[${list.join(",")}]`), rights);
      if (!Array.isArray(came)) return;
      for (const { eventType: type, clusterId } of came as { eventType: string; clusterId?: string }[]) {
        expect(type === "B" || (clusterId === "c-1" && (type === "A" || type.startsWith("GPU_")))).toBe(true);
      }
    });
    await fc.assert(property, { numRuns: Math.ceil(numRuns / 3) });
  });
});

describe("at the limit of one event's text", () => {
  const textBytesMax = 6 * limits.payload_bytes + 65_536;
  const spaced = (bytes: number, place: "before" | "within" | "behind"): string => {
    const room = " ".repeat(bytes - '{"event_type":"A","payload":[1]}'.length);
    const at = (here: string): string => (place === here ? room : "");
    return `${at("before")}{"event_type":"A","payload":[1${at("within")}]}${at("behind")}`;
  };

  it.each([
    [textBytesMax - 1, true],
    [textBytesMax, true],
    [textBytesMax + 1, false],
  ])("%i bytes, with space before, within and behind", async (bytes, isGood) => {
    for (const place of ["before", "within", "behind"] as const) {
      const json = spaced(bytes, place);
      await expectSame("application/json", Buffer.from(`[${json}]`));
      const two = await expectSame("application/json", Buffer.from(`[${json},${json}]`));
      expect(Array.isArray(two)).toBe(isGood);
      await expectSame("application/json", Buffer.from(json));
      await expectSame("application/x-ndjson", Buffer.from(`${json}\n${json}`));
    }
  });

  it.each([8_190, 8_191, 8_192, 8_193, 66_000])("%i bytes of a member that is ignored", async (bytes) => {
    for (const filler of [`"${"x".repeat(bytes)}"`, `[${"1,".repeat(bytes / 2)}1]`]) {
      const first = Buffer.from(`{"event_type":"A","other":${filler},"payload":1}`);
      const last = Buffer.from(`[{"event_type":"A","payload":1,"other":${filler}}]`);
      const came = [await expectSame("application/json", first), await expectSame("application/json", last)];
      expect(came.map((one) => Array.isArray(one))).toEqual([bytes < 66_000, bytes < 66_000]);
    }
  });
});
