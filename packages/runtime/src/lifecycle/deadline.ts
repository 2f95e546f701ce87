// Work that may not take for ever.

/** Says what was not done in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
  /** What was waited for. */
  readonly what: string;
  /** How long, ms. */
  readonly deadlineMs: number;

  constructor(what: string, deadlineMs: number) {
    super(`${what} was not done within ${deadlineMs} ms`);
    this.what = what;
    this.deadlineMs = deadlineMs;
  }
}

/**
 * Does `work`, for at most `deadlineMs`. Its signal is aborted at the deadline, with the same {@link DeadlineError}, so
 * that it can stop; what it comes to after that is ignored.
 * @param what names the work, as in "flushing the log"
 * @throws {DeadlineError} at the deadline; what `work` throws, before.
 */
export async function withDeadline<T>(
  what: string,
  deadlineMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new DeadlineError(what, deadlineMs);
      abort.abort(error);
      reject(error);
    }, deadlineMs);
  });
  try {
    return await Promise.race([work(abort.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
