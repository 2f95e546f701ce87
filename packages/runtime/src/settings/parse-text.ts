// Values as they are written in environment variables and flags.
import type { SettingFacts } from "./setting.js";

/** Whole numbers as people write them: no exponent, no sign but minus, no leading zero, no unit. */
export const integerText = /^(?:0|-?[1-9][0-9]*)$/;

/** Decimal numbers, as strict. */
export const fractionText = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/**
 * The value that `text` stands for, or `text` itself where it stands for none: the check of the value then refuses
 * it and shows what was given. `""` and `null` are null where null is allowed; lists are separated by commas, spaces
 * around them ignored; lists of objects are JSON.
 */
export function parseText(facts: Pick<SettingFacts, "kind" | "nullable">, text: string): unknown {
  if (facts.nullable && (text === "" || text === "null")) return null;
  switch (facts.kind) {
    case "integer":
      return integerText.test(text) ? Number(text) : text;
    case "fraction":
      return fractionText.test(text) ? Number(text) : text;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "text":
      return text;
    case "text-list":
      return text.trim() === "" ? [] : text.split(",").map((item) => item.trim());
    case "object-list":
      return text.trim() === "" ? [] : parseJson(text);
  }
}
