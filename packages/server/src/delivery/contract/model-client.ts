// One client of a model run: the consumer under test, its socket, and what is expected of it.
import type { Consumer } from "../consumer.js";
import type { DeliveryWorld } from "./delivery-world.js";
import type { ExpectedStream } from "./expected-stream.js";
import type { RecordingSink } from "./recording-sink.js";

/** A connected client and its oracle. */
export interface ModelClient {
  readonly consumer: Consumer;
  readonly sink: RecordingSink;
  readonly expected: ExpectedStream;
  /** As its metrics said last. */
  messagesDropped: number;
}

/** What is wrong with the metrics of a client now. */
export function metricsProblems({ delivery }: DeliveryWorld, client: ModelClient): string[] {
  const { consumer, expected } = client;
  const problems: string[] = [];
  const metrics = delivery.metricsOf(consumer);
  const { maxMessages, policy } = consumer.buffer;
  if (metrics.bufferSize > maxMessages) problems.push(`buffer_size ${metrics.bufferSize} of ${maxMessages}`);
  if (policy.startsWith("drop-") && !expected.isCatchingUp && metrics.pending > maxMessages) {
    problems.push(`${metrics.pending} pending of ${maxMessages} under ${policy}`);
  }
  if (metrics.messagesDropped < client.messagesDropped) problems.push("messages_dropped went down");
  client.messagesDropped = metrics.messagesDropped;
  if (metrics.messagesSent !== expected.delivered) {
    problems.push(`messages_sent ${metrics.messagesSent} and not ${expected.delivered}`);
  }
  if (metrics.bytesSent !== expected.deliveredBytes) problems.push(`bytes_sent ${metrics.bytesSent}`);
  if (!Number.isFinite(metrics.lagMs) || metrics.lagMs < 0) problems.push(`lag_ms ${metrics.lagMs}`);
  return problems;
}
