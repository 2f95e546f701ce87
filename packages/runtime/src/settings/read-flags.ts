// Settings from command line flags: `--heartbeat.interval_ms=1000` or `--heartbeat.interval_ms 1000`.
import { settingKeysByPath } from "./catalogue.js";
import { type Given, unknownKey } from "./given.js";
import { parseText } from "./parse-text.js";

const dashes = "--";
const booleanText = new Set(["true", "false"]);

/**
 * Reads flags. A boolean alone, as `--auth.dev`, is true; the argument after it belongs to it only when it is `true`
 * or `false`. Given twice, anything but a flag, and a flag without a value are problems.
 */
export function readFlags(args: readonly string[]): Given {
  const given: Given = { values: [], problems: [] };
  const seen = new Set<string>();
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? "";
    const equals = argument.indexOf("=");
    const name = equals === -1 ? argument : argument.slice(0, equals);
    const source = { kind: "flag", at: name } as const;
    if (!name.startsWith(dashes)) {
      const problem = "is not a flag";
      given.problems.push({
        path: "command line",
        problem,
        allowed: "--key=value or --key value",
        source: { kind: "flag", at: `argument ${index + 1}` },
      });
      continue;
    }
    const path = name.slice(dashes.length);
    const key = settingKeysByPath.get(path);
    const next = args[index + 1];
    const nextIsValue = next !== undefined && !next.startsWith(dashes);
    if (key === undefined) {
      given.problems.push({ ...unknownKey(path, source, (known) => dashes + known), path: name });
      if (equals === -1 && nextIsValue) index += 1;
      continue;
    }
    let text: string;
    if (equals !== -1) {
      text = argument.slice(equals + 1);
    } else if (key.kind === "boolean") {
      const spelled = next !== undefined && booleanText.has(next);
      text = spelled ? next : "true";
      if (spelled) index += 1;
    } else if (nextIsValue) {
      text = next;
      index += 1;
    } else {
      given.problems.push({ path, problem: "has no value", allowed: key.allowed, source });
      continue;
    }
    if (seen.has(path)) {
      given.problems.push({ path, problem: "is given more than once", allowed: "one flag a key", source });
      continue;
    }
    seen.add(path);
    given.values.push({ key, value: parseText(key, text), source });
  }
  return given;
}
