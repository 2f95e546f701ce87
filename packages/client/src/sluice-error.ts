// What the client throws: one class, told apart by its code.
import type { ErrorCode } from "@sluice/protocol";

/**
 * Why something ended without success: a code of an `error` frame (protocol.md §7), or
 * `CLOSED` the client was closed or its connection ended for good · `QUEUE_FULL` too many events wait to be published ·
 * `UNAVAILABLE` the service was away for too long · `REFUSED` it refused, and another try would not help.
 */
export type SluiceErrorCode = ErrorCode | "CLOSED" | "QUEUE_FULL" | "UNAVAILABLE" | "REFUSED";

/** Never carries a token. */
export class SluiceError extends Error {
  override readonly name = "SluiceError";
  readonly code: SluiceErrorCode;
  /** HTTP status, where the answer of a request is the reason. */
  readonly status: number | undefined;
  /** That answer's members: problem+json (RFC 9457), with the `index` of the event that was to blame. */
  readonly problem: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: SluiceErrorCode,
    message: string,
    status?: number,
    cause?: unknown,
    problem?: Readonly<Record<string, unknown>>,
  ) {
    super(message, { cause });
    this.code = code;
    this.status = status;
    this.problem = problem;
  }
}

/** Thrown at what was under way when the client was closed. */
export function closedError(): SluiceError {
  return new SluiceError("CLOSED", "the client was closed");
}

/** Somebody else listens there. */
export function noAnswer(): SluiceError {
  return new SluiceError("REFUSED", "no answer of Sluice");
}
