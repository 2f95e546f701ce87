// How much of it: a short form for every run, the long one with `SLUICE_HOSTILE=long`, which also prints its figures.

export const isLong = process.env["SLUICE_HOSTILE"] === "long";

/** The long form's number, or the short one's. */
export function scaled(long: number, short: number): number {
  return isLong ? long : short;
}

/** Room that a loaded machine gets in the short form; the long one is for a quiet machine. */
export const patience = isLong ? 1 : 5;

export const mib = 1_048_576;

/** Writes the figures of a long form. */
export function report(what: string, figures: Readonly<Record<string, string | number>>): void {
  if (!isLong) return;
  const shown = Object.entries(figures).map(([name, value]) => {
    return `${name} ${typeof value === "number" ? Math.round(value * 10) / 10 : value}`;
  });
  process.stdout.write(`${what}: ${shown.join(", ")}\n`);
}
