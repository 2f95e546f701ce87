// A given value against its key's schema.
import { Check, Errors } from "typebox/value";
import type { GivenValue } from "./given.js";
import { type SettingProblem, wrongValue } from "./problem.js";

/** `/0/scope` (RFC 6901) as people write it: `[0].scope`. */
function readablePlace(pointer: string): string {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => (/^[0-9]+$/.test(part) ? `[${part}]` : `.${part}`))
    .join("");
}

function valueAt(value: unknown, pointer: string): unknown {
  let node = value;
  for (const part of pointer.split("/").slice(1)) {
    node = typeof node === "object" && node !== null ? (node as Record<string, unknown>)[part] : undefined;
  }
  return node;
}

/** The problem of a value, at the innermost place that is wrong; undefined when it is allowed. */
export function checkValue({ key, value, source }: GivenValue): SettingProblem | undefined {
  if (Check(key.schema, value)) return undefined;
  const place = Errors(key.schema, value)[0]?.instancePath ?? "";
  return wrongValue(key, valueAt(value, place), source, readablePlace(place));
}
