// What can be told of one consumer: the seed's ConsumerMetrics, as `GET /api/v1/connections` shows them.

import type { Clock } from "@sluice/runtime";
import type { Consumer } from "./consumer.js";

/** A consumer's state at one moment. */
export interface ConsumerMetrics {
  readonly connectionId: string;
  /** Events waiting in the buffer, 0 to `maxBufferSize`. */
  readonly bufferSize: number;
  readonly maxBufferSize: number;
  /** All events waiting, in the buffer or in the log behind it; more than `bufferSize` only while nothing may be skipped. */
  readonly pending: number;
  readonly paused: boolean;
  readonly messagesSent: number;
  readonly bytesSent: number;
  readonly messagesDropped: number;
  /** Wall-clock ms of the newest event handed to the socket; null before the first. */
  readonly lastSendTimeMs: number | null;
  /** Mean of durable-to-socket over the connection's life, ms. */
  readonly averageLatencyMs: number;
  /** Age of the oldest event that waits, ms; 0 when none does. */
  readonly lagMs: number;
}

/** Measures a consumer; `lagMs` is the age of the oldest event that waits for it. */
export function measureConsumer(consumer: Consumer, clock: Clock, lagMs: number): ConsumerMetrics {
  const { buffer } = consumer;
  const { sent, bytes, averageLatencyMs, lastSendAtMs } = consumer.account;
  const messagesDropped = consumer.dropped;
  const { pending } = consumer;
  return {
    connectionId: consumer.id,
    bufferSize: Math.min(pending, buffer.maxMessages),
    maxBufferSize: buffer.maxMessages,
    pending,
    paused: consumer.isPaused,
    messagesSent: sent,
    bytesSent: bytes,
    messagesDropped,
    lastSendTimeMs: lastSendAtMs === 0 ? null : Math.round(clock.wall() - (clock.now() - lastSendAtMs)),
    averageLatencyMs: Math.round(averageLatencyMs * 100) / 100,
    lagMs,
  };
}
