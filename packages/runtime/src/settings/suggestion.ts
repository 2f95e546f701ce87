// "Did you mean …?" for keys that don't exist.
import { settingKeys } from "./catalogue.js";

/** Longest name that is compared; the comparison costs the product of both lengths. */
const comparedLengthMax = 100;
/** A third of the letters may differ before a suggestion would be a guess. */
const distanceShareMax = 1 / 3;

/** Letters to insert, remove or replace to get from `a` to `b` (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let index = 0; index < a.length; index += 1) {
    const next = [index + 1];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (a[index] === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Same for every way of writing the separators and the case: `HEARTBEAT_INTERVAL-MS` is `heartbeat.interval_ms`. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[._\s-]+/g, "");
}

function nearest(name: string, candidates: ReadonlyMap<string, string>): string | undefined {
  const wanted = plain(name);
  let best: string | undefined;
  let bestDistance = Math.floor(wanted.length * distanceShareMax) + 1;
  for (const [candidate, letters] of candidates) {
    if (Math.abs(letters.length - wanted.length) >= bestDistance) continue;
    const found = distance(wanted, letters);
    if (found < bestDistance) [best, bestDistance] = [candidate, found];
  }
  return best;
}

/** Names of sections as well as keys, `heartbeats` being nearest to `heartbeat`, each with its plain form. */
const names: ReadonlyMap<string, string> = new Map(
  settingKeys
    .flatMap(({ path }) => path.split(".").map((_, index, parts) => parts.slice(0, index + 1).join(".")))
    .map((name) => [name, plain(name)]),
);

/** The key or section that `name` was most likely meant to be; undefined when none is near. */
export function suggestKey(name: string): string | undefined {
  if (name.length > comparedLengthMax) return undefined;
  const close = nearest(name, names);
  if (close !== undefined) return close;
  const byLastPart = settingKeys.filter(({ path }) => plain(path.slice(path.lastIndexOf(".") + 1)) === plain(name));
  return byLastPart.length === 1 ? byLastPart[0]?.path : undefined;
}
