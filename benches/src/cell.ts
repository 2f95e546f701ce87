// What a bench is made of: a cell measures some variants of one thing, its contenders among them.

/** What one measurement found, by the names of the cell's columns, and whatever else is worth keeping. */
export type Figures = Readonly<Record<string, number>>;

export interface Column {
  /** Name of the figure. */
  readonly figure: string;
  readonly title: string;
  /** Digits after the point; default 0. */
  readonly digits?: number;
}

/** What the command line asks of a cell. */
export interface CellOptions {
  /** Seconds of one measurement, warm-up apart. */
  readonly seconds: number;
}

/** One row of a cell's table. */
export interface Variant {
  readonly name: string;
  /** Starts what it needs, measures once, and ends it. */
  readonly measure: () => Promise<Figures>;
}

export interface Cell {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  readonly columns: readonly Column[];
  /** Seconds of one measurement; default 4. */
  readonly seconds?: number;
  /** Times that each row is measured; default 5. */
  readonly repeats?: number;
  /** Rows in the order of the table; measured in turn, again and again. */
  readonly variants: (options: CellOptions) => readonly Variant[] | Promise<readonly Variant[]>;
  /** Sentences about the medians, such as ratios. */
  readonly findings?: (medians: ReadonlyMap<string, Figures>) => readonly string[];
}

export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Of an even count the mean of the two in the middle. What could not be measured (`NaN`) doesn't count. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.filter((number) => !Number.isNaN(number)).toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** `a / b` of a figure of two rows, as words; empty where one is missing. */
export function ratioOf(
  medians: ReadonlyMap<string, Figures>,
  [row, otherRow]: readonly [string, string],
  figure: string,
  title: string,
): string[] {
  const value = medians.get(row)?.[figure];
  const other = medians.get(otherRow)?.[figure];
  if (value === undefined || other === undefined) return [];
  return [`${row} / ${otherRow}: ${(value / other).toPrecision(3)}× ${title}`];
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
