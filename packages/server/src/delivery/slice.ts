// What one consumer that catches up is given in one turn.

/** One slice of work for one consumer. */
export interface Slice {
  out: Buffer[];
  chunkBytes: number;
  bytes: number;
  looked: number;
  writes: number;
}

/** What to do after a step: the next one, wait for a page, or nothing, since nothing waits. */
export type Progress = "more" | "wait" | "level";
