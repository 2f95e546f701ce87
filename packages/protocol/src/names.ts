// The grammar of event names, cluster names and patterns (protocol §3).

/** Longest event or cluster name, characters. */
export const nameLengthMax = 128;

const name = /^[A-Za-z0-9_.:-]{1,128}$/;
const pattern = /^(?:[A-Za-z0-9_.:-]{1,128}\*?|\*)$/;

/** The grammar in words, for error messages. */
export const nameGrammar = "1 to 128 of A-Z a-z 0-9 _ . : -";

/** Whether `value` can name an event type or a cluster. */
export function isName(value: unknown): value is string {
  return typeof value === "string" && name.test(value);
}

/** Whether `value` is a name, a name with a trailing `*` (a prefix), or `*` alone (all). */
export function isPattern(value: unknown): value is string {
  return typeof value === "string" && pattern.test(value);
}

/** Whether `text` falls under `pattern`, which is a name or ends in `*`. */
export function patternMatches(pattern: string, text: string): boolean {
  return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : pattern === text;
}

/** Whether everything that `narrow` can match is also matched by `wide`: `GPU_*` covers `GPU_TEMP*` and `GPU_UPDATE`. */
export function patternCovers(wide: string, narrow: string): boolean {
  if (!wide.endsWith("*")) return wide === narrow;
  const prefix = wide.slice(0, -1);
  return (narrow.endsWith("*") ? narrow.slice(0, -1) : narrow).startsWith(prefix);
}
