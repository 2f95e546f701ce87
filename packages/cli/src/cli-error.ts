// What a command ends with when it could not do its work; told in words, never with a stack trace.

/** The end of a command, for the person who gave it. The message never holds a token or a secret. */
export class CliError extends Error {
  override readonly name = "CliError";
  /** What the process exits with. */
  readonly exitCode: number;
  /** What to do about it; a line of its own below the message. */
  readonly hint: string | undefined;

  constructor(message: string, options: { exitCode: number; hint?: string | undefined; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode;
    this.hint = options.hint;
  }
}
