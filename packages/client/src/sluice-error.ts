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

  constructor(
    code: SluiceErrorCode,
    message: string,
    options: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status;
  }
}
