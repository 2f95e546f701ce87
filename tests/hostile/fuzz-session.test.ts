// Any conversation: each command is answered as a model says, and at its end exactly the events come that the model's
// subscriptions match.
import fc from "fast-check";
import { mint, publish, RawClient, startServer, type Frame } from "@sluice/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fuzzing, fuzzMs } from "./fuzz.js";

const types = ["A", "AB", "ABC", "B", "C"] as const;
const clusterNames = ["c-1", "c-2"] as const;
/** What the token allows; C it does not. */
const allowed = ["A*", "B"];
const token = mint({ sub: "talker", events: [...allowed, "LAST"] });

type Command =
  | { readonly type: "subscribe"; readonly events: string[]; readonly clusters: string[] }
  | { readonly type: "unsubscribe"; readonly events: string[] }
  | { readonly type: "ping" }
  | { readonly type: "refresh"; readonly token: string }
  | { readonly type: "nonsense" };

const patterns = fc.uniqueArray(fc.constantFrom("A", "AB", "ABC", "B", "C", "A*", "AB*", "B*", "*"), {
  minLength: 1,
  maxLength: 3,
});
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("subscribe" as const),
      events: patterns,
      clusters: fc.uniqueArray(fc.constantFrom(...clusterNames), { maxLength: 2 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("unsubscribe" as const), events: patterns }) },
  { weight: 1, arbitrary: fc.constant({ type: "ping" as const }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(token, mint({ sub: "somebody else" }), "x.y.z")
      .map((bearer) => ({ type: "refresh" as const, token: bearer })),
  },
  { weight: 1, arbitrary: fc.constant({ type: "nonsense" as const }) },
);

const isAllowed = (pattern: string): boolean => pattern === "B" || pattern.startsWith("A");
const matches = (pattern: string, type: string): boolean =>
  pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type;

/** What the answer must be; changes the model's subscriptions. */
function answerTo(sent: Command, held: Map<string, readonly string[]>): object {
  switch (sent.type) {
    case "subscribe":
      if (!sent.events.every(isAllowed)) return { type: "error", code: "FORBIDDEN" };
      for (const pattern of sent.events) held.set(pattern, sent.clusters);
      return { type: "subscribed", events: sent.events, clusters: sent.clusters };
    case "unsubscribe":
      for (const pattern of sent.events) held.delete(pattern);
      return { type: "unsubscribed", events: sent.events };
    case "ping":
      return { type: "pong" };
    case "refresh":
      return sent.token === token ? { type: "refreshed" } : { type: "error", code: "AUTH_FAILED" };
    case "nonsense":
      return { type: "error", code: "UNKNOWN_MESSAGE_TYPE" };
  }
}

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer({ limits: { commands_per_second: 1_000_000, command_burst: 1_000_000 } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

it(
  "any conversation",
  async () => {
    const property = fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
      await using client = await RawClient.connect(server.url, { token });
      await client.next("connected");
      const held = new Map<string, readonly string[]>();
      for (const sent of commands) {
        client.send({ ...sent });
        expect(await client.take()).toMatchObject(answerTo(sent, held));
      }
      await client.subscribe(["LAST"]);
      const events = types.flatMap((event_type) =>
        [undefined, ...clusterNames].map((cluster_id) => ({
          event_type,
          payload: null,
          ...(cluster_id === undefined ? {} : { cluster_id }),
        })),
      );
      const { first_seq: first } = await publish(server.url, [...events, { event_type: "LAST", payload: null }]);
      const got: number[] = [];
      for (let frame: Frame = await client.next("event"); frame["event_type"] !== "LAST"; frame = await client.take()) {
        got.push((frame["seq"] as number) - first);
      }
      const expected = events.flatMap(({ event_type: type, cluster_id: cluster }, index) => {
        const isMatched = [...held].some(([pattern, clusters]) => {
          return (
            matches(pattern, type) && (clusters.length === 0 || (cluster !== undefined && clusters.includes(cluster)))
          );
        });
        return isMatched ? [index] : [];
      });
      expect(got).toEqual(expected);
    });
    await fc.assert(property, fuzzing("conversations", 120) as fc.Parameters<[Command[]]>);
  },
  fuzzMs,
);

it(
  "any text as a command: an answer each, and the connection lives on",
  async () => {
    const words = ["type", "subscribe", "events", "*", "id", "since", "epoch", "__proto__", "constructor", "ping"];
    const text = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 200 }),
      fc.json({ maxDepth: 4 }),
      fc
        .dictionary(
          fc.constantFrom(...words),
          fc.oneof(fc.constantFrom(...words), fc.jsonValue({ maxDepth: 2 }), fc.array(fc.constantFrom(...words))),
        )
        .map((value) => JSON.stringify(value)),
    );
    await using client = await RawClient.connect(server.url, { token });
    await client.next("connected");
    const property = fc.asyncProperty(text, async (sent) => {
      client.sendText(sent);
      client.sendText('{"type":"ping","timestamp":"after"}');
      const isAnswer = (frame: Frame): boolean => frame["timestamp"] === "after";
      expect(await client.until("the answer to the ping", isAnswer)).toBeDefined();
    });
    await fc.assert(property, fuzzing("commands", 500) as fc.Parameters<[string]>);
  },
  fuzzMs,
);
