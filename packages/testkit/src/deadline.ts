// Waiting for events and never for time: every wait has a deadline, and says what it waited for when that passes.

/** How long a wait lasts unless told, ms: far beyond what a loaded machine needs, short enough to be noticed. */
export const deadlineMsDefault = 10_000;

/** Thrown when what was waited for did not come. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** Resolves with `promise`, or rejects after `ms` naming what was waited for; `instead` tells what there was. */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  ms: number = deadlineMsDefault,
  instead: () => string = () => "nothing",
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new DeadlineError(`waited ${ms} ms for ${what}; instead there was ${instead()}`)),
      ms,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const pollMs = 20;

/**
 * Asks until the answer is not undefined: for what tells nobody when it changes, such as a metric or an admin
 * endpoint. The last thing that `describe` says is in the error.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  ms: number = deadlineMsDefault,
  describe: () => string = () => "no answer that fits",
): Promise<T> {
  const until = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= until) {
      throw new DeadlineError(`waited ${ms} ms for ${what}; instead there was ${describe()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
