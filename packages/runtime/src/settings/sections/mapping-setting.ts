// `auth.mapping`: rights by group or role, for identity providers that know no Sluice claims (protocol §9).
import { isPattern, nameGrammar } from "@sluice/protocol";
import Type from "typebox";
import { element, list } from "../setting.js";

const scopes = new Set(["events:publish", "admin"]);
const nameLengthMax = 512;
const rulesMax = 1_000;
const patternsMax = 1_000;

const claimValue = Type.String({ minLength: 1, maxLength: nameLengthMax });
const patternList = Type.Array(element(isPattern), { maxItems: patternsMax });
const scope = Type.Refine(
  Type.String(),
  (value) => value.split(" ").every((word) => scopes.has(word)),
  () => "not allowed",
);

const rule = Type.Refine(
  Type.Object(
    {
      group: Type.Optional(claimValue),
      role: Type.Optional(claimValue),
      events: Type.Optional(patternList),
      clusters: Type.Optional(patternList),
      scope: Type.Optional(scope),
    },
    { additionalProperties: false },
  ),
  (value: { group?: string; role?: string }) => value.group !== undefined || value.role !== undefined,
  () => "names neither group nor role",
);

/** A list of rules; a bearer gets the union of those that fit. */
export const mappingSetting = list(
  rule,
  {
    default: [],
    maxItems: rulesMax,
    description:
      "Rights by group or role: `events` and `clusters` are names or trailing-`*` patterns, absent for all; `scope` is as in a token.",
    allowed:
      "{group and/or role: string, events?: [pattern], clusters?: [pattern], scope?: words of events:publish, admin} " +
      `where a pattern is ${nameGrammar}, or such with a trailing *, or * alone`,
  },
  "object-list",
);
