// Random programs for delivery: what publishers, clients, sockets, retention and operators may do, in any order.
import { policies, type Policy } from "@sluice/protocol";
import fc from "fast-check";
import type { WorldOptions } from "./delivery-world.js";

/** Slots that a program's consumers sit in. */
const slots = 3;

/** Where a replay begins: everything, so many events back, where the last ping promised, or past the head. */
export type Since = "all" | "promised" | "beyond" | number;

export type Operation =
  | {
      readonly kind: "publish";
      readonly events: readonly (readonly [string, string | undefined])[];
      readonly waits: boolean;
    }
  | { readonly kind: "stall"; readonly slot: number; readonly room: number }
  | { readonly kind: "drain"; readonly slot: number; readonly room: number }
  | {
      readonly kind: "subscribe";
      readonly slot: number;
      readonly patterns: readonly string[];
      readonly clusters: readonly string[] | null;
      readonly since: Since | undefined;
    }
  | { readonly kind: "unsubscribe"; readonly slot: number; readonly patterns: readonly string[] }
  | {
      readonly kind: "waver";
      readonly slot: number;
      readonly changes: readonly {
        readonly patterns: readonly string[];
        readonly clusters: readonly string[] | null;
      }[];
    }
  | { readonly kind: "ping" | "command" | "metrics" | "leave"; readonly slot: number }
  | { readonly kind: "connect"; readonly slot: number; readonly policy: Policy; readonly maxMessages: number }
  /** These of the crowd come to want what the slot's consumer wants. */
  | { readonly kind: "crowd"; readonly slot: number; readonly from: number; readonly count: number }
  | { readonly kind: "turns"; readonly count: number }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "restart" | "shut down" };

export interface Program {
  readonly world: WorldOptions & { readonly maxMessages: number };
  readonly fieldBytes: number;
  readonly operations: readonly Operation[];
}

const slot = fc.nat({ max: slots - 1 });
const pattern = fc.constantFrom("A", "B", "A*", "*");
const patterns = fc.uniqueArray(pattern, { minLength: 1, maxLength: 2 });
const clusters = fc.constantFrom(null, null, ["c-1"], ["c-2"], ["c-1", "c-2"], ["c-*"]);
const since = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 3, arbitrary: fc.nat({ max: 30 }) },
  { weight: 2, arbitrary: fc.constantFrom("all" as const, "promised" as const) },
  { weight: 1, arbitrary: fc.constant("beyond" as const) },
);
const event = fc.tuple(fc.constantFrom("A", "AB", "B"), fc.constantFrom("c-1", "c-2", undefined));
const maxMessages = fc.integer({ min: 1, max: 10 });
const policy = fc.constantFrom(...policies);
/** Bytes: nothing, one frame or two, more than a chunk, anything. */
const room = fc.oneof(
  fc.constantFrom(0, 1, 100_000, Number.POSITIVE_INFINITY),
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 20_000 }),
);
const ofKind = <const K extends string>(kind: K): fc.Arbitrary<K> => fc.constant(kind);

const many = fc
  .tuple(event, fc.integer({ min: 20, max: 700 }))
  .map(([one, count]) => Array.from({ length: count }, () => one));
const waits = fc.boolean();
/** Subscriptions one after the other, more than the newest of them could be remembered by. */
const changes = fc.array(fc.record({ patterns, clusters }), { minLength: 2, maxLength: 15, size: "max" });

/** More than are written between two looks at the clock, so that a pass over their lane is cut. */
const crowdMax = 60;
const crowd = fc.record({
  kind: ofKind("crowd"),
  slot,
  from: fc.nat({ max: crowdMax }),
  count: fc.integer({ min: 1, max: crowdMax }),
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: ofKind("publish"), events: fc.array(event, { minLength: 1, maxLength: 12 }), waits }),
  },
  { weight: 1, arbitrary: fc.record({ kind: ofKind("publish"), events: many, waits }) },
  { weight: 7, arbitrary: fc.record({ kind: ofKind("stall"), slot, room }) },
  { weight: 7, arbitrary: fc.record({ kind: ofKind("drain"), slot, room }) },
  { weight: 7, arbitrary: fc.record({ kind: ofKind("subscribe"), slot, patterns, clusters, since }) },
  { weight: 3, arbitrary: fc.record({ kind: ofKind("unsubscribe"), slot, patterns }) },
  { weight: 1, arbitrary: fc.record({ kind: ofKind("waver"), slot, changes }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("ping", "command", "metrics"), slot }) },
  { weight: 1, arbitrary: fc.record({ kind: ofKind("leave"), slot }) },
  { weight: 2, arbitrary: fc.record({ kind: ofKind("connect"), slot, policy, maxMessages }) },
  { weight: 3, arbitrary: crowd },
  { weight: 6, arbitrary: fc.record({ kind: ofKind("turns"), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: ofKind("advance"), ms: fc.nat({ max: 1000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("restart", "shut down") }) },
);

const world = fc.record({
  maxEvents: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 60 })),
  maxMessages: fc.constantFrom(10, 20),
  tailBytes: fc.constantFrom(1, 3000, 30_000, 1_000_000),
  msPerLook: fc.constantFrom(0, 0.5, 5),
  readTurns: fc.constantFrom(0, 0, 1, 3),
  highWatermark: fc.constantFrom(0.8, 0.8, 1),
  lowWatermark: fc.constantFrom(0.5, 0.5, 0),
  crowd: fc.constantFrom(0, crowdMax),
});

/** Three consumers that are subscribed, the crowd too, and then anything. */
const start = fc
  .array(fc.record({ policy, maxMessages, patterns, clusters }), { minLength: slots, maxLength: slots })
  .map((consumers) => [
    ...consumers.flatMap(({ policy, maxMessages, patterns, clusters }, slot): Operation[] => [
      { kind: "connect", slot, policy, maxMessages },
      { kind: "subscribe", slot, patterns, clusters, since: undefined },
    ]),
    { kind: "crowd", slot: 0, from: 0, count: crowdMax } as const,
  ]);

export const program: fc.Arbitrary<Program> = fc
  .record({
    world,
    fieldBytes: fc.constantFrom(0, 0, 200, 3000),
    start,
    rest: fc.array(operation, { minLength: 1, maxLength: 60, size: "max" }),
  })
  .map(({ world, fieldBytes, start, rest }) => ({ world, fieldBytes, operations: [...start, ...rest] }));
