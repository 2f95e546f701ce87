// The JetStream API by request and reply, as far as the engine needs it without the library's own consumers.
import { RequestError, TimeoutError, type NatsConnection } from "@nats-io/transport-node";

/** Codes of JetStream's errors (nats-server `errors.json`) that are told apart. */
export const apiErrors = {
  consumerNotFound: 10_014,
  messageNotFound: 10_037,
  streamNotFound: 10_059,
  wrongLastSequence: 10_071,
  /** An earlier message with the same id is still being stored. */
  duplicateInProcess: 10_158,
  /** Neither memory nor file space is left for the stream. */
  noStorage: [10_023, 10_028, 10_047, 10_077],
  /** The event is over what the stream or the server takes. */
  tooLarge: [10_054, 10_097],
} as const;

/** What the server answered with instead of a result. */
export class JetStreamApiError extends Error {
  override readonly name = "JetStreamApiError";
  readonly code: number;

  constructor({ err_code: code = 0, description = "an error without a description" }: ApiErrorBody) {
    super(`JetStream: ${description} (${code})`);
    this.code = code;
  }
}

interface ApiErrorBody {
  readonly err_code?: number;
  readonly description?: string;
}

/** Asks the JetStream API. @throws {JetStreamApiError}, or the client's own errors where nobody answers in `timeoutMs`. */
export async function askJetStream<Reply>(
  nats: NatsConnection,
  operation: string,
  body: unknown,
  timeoutMs: number,
): Promise<Reply> {
  const message = await nats.request(`$JS.API.${operation}`, JSON.stringify(body), { timeout: timeoutMs });
  return parseReply(message.string()) as Reply;
}

/** Reads an answer of the API. @throws {JetStreamApiError} */
export function parseReply(text: string): object {
  const reply = JSON.parse(text) as { readonly error?: ApiErrorBody };
  if (reply.error !== undefined) throw new JetStreamApiError(reply.error);
  return reply;
}

/** Whether an error only says that nobody answered now: no leader, no connection, no time. */
export function isTransient(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return false;
  return error instanceof RequestError || error instanceof TimeoutError || error instanceof Error;
}

/** Whether JetStream has no room left, or can't reserve what a stream may grow to. */
export function isOutOfStorage(error: unknown): boolean {
  return error instanceof JetStreamApiError && apiErrors.noStorage.some((known) => known === error.code);
}

const nsPerMs = 1e6;

/** Milliseconds as the API counts time. */
export function toNs(ms: number): number {
  return Math.round(ms * nsPerMs);
}

/** Tries of what has to work before a service starts, and the pause between them, ms: servers start, and elect leaders. */
const triesMax = 8;
const pauseMs = 500;

/** Does `action` until it works, at most 8 times. `isFinal` says which errors no other try would mend. @throws the last error */
export async function retry<Result>(
  action: () => Promise<Result>,
  isFinal: (error: unknown) => boolean = () => false,
): Promise<Result> {
  for (let left = triesMax - 1; ; left -= 1) {
    try {
      return await action();
    } catch (error) {
      if (left === 0 || isFinal(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
