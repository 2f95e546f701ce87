// A connection as `GET /api/v1/connections` shows it: the seed's ConnectionState and ConsumerMetrics together.

import { wireTime } from "@sluice/protocol";
import type { Clock } from "@sluice/runtime";
import { TurnBudget } from "../log/turn-budget.js";
import type { Delivery } from "../delivery/delivery.js";
import type { HeartbeatManager } from "../session/heartbeat-manager.js";
import type { Connection } from "./connections.js";

/** Names and shapes of protocol §8; times are RFC 3339. */
export interface ConnectionView {
  readonly connection_id: string;
  readonly user_id: string;
  readonly connected_at: string;
  readonly last_ping_sent: string | null;
  readonly last_pong_received: string | null;
  readonly missed_pongs: number;
  readonly is_alive: boolean;
  readonly subscriptions: readonly { readonly event: string; readonly clusters: readonly string[] }[];
  readonly policy: string;
  readonly paused: boolean;
  readonly buffer_size: number;
  readonly max_buffer_size: number;
  readonly pending: number;
  readonly messages_sent: number;
  readonly bytes_sent: number;
  readonly messages_dropped: number;
  readonly last_send_time: string | null;
  readonly average_latency_ms: number;
  readonly lag_ms: number;
  readonly remote_address: string;
}

export interface ConnectionViewContext {
  readonly clock: Clock;
  readonly delivery: Delivery;
  readonly heartbeat: HeartbeatManager;
}

/** Connections looked at in one turn of the event loop, about 1 ms. */
const viewsPerTurn = 64;

/** Shows connections as they are now, a slice a turn: one after the other, so not all in the same moment. */
export async function viewConnections(
  connections: readonly Connection[],
  context: ConnectionViewContext,
): Promise<ConnectionView[]> {
  const views: ConnectionView[] = [];
  const turn = new TurnBudget(viewsPerTurn);
  for (const connection of connections) {
    // It may have gone since the list was made.
    if (!connection.session.consumer.isClosed) views.push(viewConnection(connection, context));
    await turn.spend(1);
  }
  return views;
}

function viewConnection(connection: Connection, context: ConnectionViewContext): ConnectionView {
  const { clock, delivery, heartbeat } = context;
  const { consumer } = connection.session;
  const state = heartbeat.getConnectionState(connection.id);
  const metrics = delivery.metricsOf(consumer);
  const wallAtZero = clock.wall() - clock.now();
  const time = (monotonicMs: number | null | undefined): string | null =>
    monotonicMs === null || monotonicMs === undefined ? null : wireTime(wallAtZero + monotonicMs);
  return {
    connection_id: connection.id,
    user_id: connection.userId,
    connected_at: wireTime(connection.connectedAtMs),
    last_ping_sent: time(state?.lastPingSentMs),
    last_pong_received: time(state?.lastPongReceivedMs),
    missed_pongs: state?.missedPongs ?? 0,
    is_alive: state?.isAlive ?? false,
    subscriptions: [...consumer.set].map(({ pattern, clusters }) => ({
      event: pattern,
      clusters: clusters?.patterns ?? [],
    })),
    policy: consumer.buffer.policy,
    paused: metrics.paused,
    buffer_size: metrics.bufferSize,
    max_buffer_size: metrics.maxBufferSize,
    pending: metrics.pending,
    messages_sent: metrics.messagesSent,
    bytes_sent: metrics.bytesSent,
    messages_dropped: metrics.messagesDropped,
    last_send_time: metrics.lastSendTimeMs === null ? null : wireTime(metrics.lastSendTimeMs),
    average_latency_ms: metrics.averageLatencyMs,
    lag_ms: metrics.lagMs,
    remote_address: connection.remoteAddress,
  };
}
