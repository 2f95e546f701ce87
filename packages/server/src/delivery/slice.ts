// What one consumer that catches up is given in one turn.

/** One slice of work for one consumer. */
export interface Slice {
  out: Buffer[];
  /** Some of `out` is a page's memory, which will be used again. */
  isLent: boolean;
  chunkBytes: number;
  bytes: number;
  looked: number;
  writes: number;
}

/** What to do after a step: the next one, wait for a page, or nothing, since nothing waits. */
export type Progress = "more" | "wait" | "level";
