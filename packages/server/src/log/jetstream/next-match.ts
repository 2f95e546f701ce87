// Where in the stream the next event of a subject is, by the server's own index.
import type { NatsConnection } from "@nats-io/transport-node";
import { apiErrors, askJetStream, JetStreamApiError } from "./jetstream-api.js";
import { streamInfo } from "./open-stream.js";

const answerMs = 5000;

/**
 * The seq of the first message after `after` on `subject`; `until + 1` where there is none up to `until`. Undefined where
 * it can't be known now: nobody answers, or who answers does not know everything up to `until` yet.
 */
export async function nextMatch(
  nats: NatsConnection,
  stream: string,
  subject: string,
  { after, until }: { readonly after: number; readonly until: number },
): Promise<number | undefined> {
  try {
    // First, so that a leader that has not come as far can't say that there is nothing.
    const { state } = await streamInfo(nats, stream, answerMs);
    if (state.last_seq < until) return undefined;
    const { message } = await askJetStream<{ readonly message: { readonly seq: number } }>(
      nats,
      `STREAM.MSG.GET.${stream}`,
      { seq: after + 1, next_by_subj: subject },
      answerMs,
    );
    return Math.min(message.seq, until + 1);
  } catch (error) {
    const isNone = error instanceof JetStreamApiError && error.code === apiErrors.messageNotFound;
    return isNone ? until + 1 : undefined;
  }
}
