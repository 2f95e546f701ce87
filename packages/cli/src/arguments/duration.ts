// Durations as people write them: 500ms, 30s, 15m, 1h, 7d.

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const grammar = /^(\d{1,15}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;

/** The grammar in words, for help and messages. */
export const durationGrammar = "a number with a unit: 500ms, 30s, 15m, 1h or 7d";

/** Milliseconds, or undefined when `text` is no duration: `1.5h` is 5,400,000. A bare number has no unit, so it is none. */
export function parseDuration(text: string): number | undefined {
  const match = grammar.exec(text.trim());
  if (match === null) return undefined;
  const ms = Math.round(Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** For people, two digits at most: `0.5 s`, `12 s`, `3 min`, `1.5 h`, `2 d`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_500) return `${shortNumber(ms / unitMs.s)} s`;
  if (ms < 59.5 * unitMs.m) return `${shortNumber(ms / unitMs.m)} min`;
  if (ms < 47.5 * unitMs.h) return `${shortNumber(ms / unitMs.h)} h`;
  return `${shortNumber(ms / unitMs.d)} d`;
}

function shortNumber(value: number): string {
  return value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value).toLocaleString("en-US");
}
