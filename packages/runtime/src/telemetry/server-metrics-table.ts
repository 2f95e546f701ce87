// Every metric of the streaming service, defined once. Labels have few, known values; none is a user or a connection.
import { closes, errorCodes, policies, problemTypes } from "@sluice/protocol";
import { authFailures } from "../identity/auth-failures.js";
import { otherLabel } from "./labelled-instrument.js";
import type { MetricTable } from "./metric-table.js";

/** Codes that only a peer sends, or that stand for no close frame at all (RFC 6455 §7.4.1). */
const peerCloseCodes = [1000, 1001, 1005, 1006];

function keysOf<Key extends string>(table: Readonly<Record<Key, unknown>>): readonly Key[] {
  return Object.keys(table) as Key[];
}

function closeCodeLabels(): readonly string[] {
  const codes = new Set([...peerCloseCodes, ...Object.values(closes).map(({ code }) => code)]);
  return [...[...codes].sort((a, b) => a - b).map(String), otherLabel];
}

/** From a socket on the same machine to a consumer that has fallen behind, seconds. */
export const deliveryLatencyBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** From a fast disk's sync to one that hangs, seconds. */
const commitBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;

/** From level with the log to the largest buffer that can be configured, events. */
const pendingBuckets = [0, 1, 10, 50, 100, 250, 500, 800, 1_000, 10_000, 100_000, 1_000_000] as const;

export const serverMetricsTable = {
  connections: { type: "gauge", name: "sluice_connections", help: "Connections that are open." },
  connectionsPaused: {
    type: "gauge",
    name: "sluice_connections_paused",
    help: "Connections that are paused because they are past `buffer.high_watermark`.",
  },
  connectionsOpened: {
    type: "counter",
    name: "sluice_connections_opened_total",
    help: "Connections that were opened, after authentication.",
  },
  connectionsClosed: {
    type: "counter",
    name: "sluice_connections_closed_total",
    help: "Connections that ended, by close code; 1006 is an end without a close frame.",
    label: "code",
    values: closeCodeLabels(),
  },
  handshakesRefused: {
    type: "counter",
    name: "sluice_handshakes_refused_total",
    help: "Handshakes refused for another reason than authentication.",
    label: "reason",
    values: ["malformed", "origin", "capacity", "draining", "timeout"],
  },
  authFailures: {
    type: "counter",
    name: "sluice_auth_failures_total",
    help: "Callers that were not let in, by why.",
    label: "reason",
    values: keysOf(authFailures),
  },
  ticketsIssued: { type: "counter", name: "sluice_tickets_issued_total", help: "Tickets that were issued." },
  pauses: { type: "counter", name: "sluice_connection_pauses_total", help: "Times a connection was paused." },
  resumes: { type: "counter", name: "sluice_connection_resumes_total", help: "Times a paused connection was resumed." },
  pendingEvents: {
    type: "histogram",
    name: "sluice_connection_pending_events",
    help: "Events waiting for a connection, sampled over all connections at intervals.",
    buckets: pendingBuckets,
  },
  subscriptions: { type: "gauge", name: "sluice_subscriptions", help: "Subscriptions of all connections." },
  lanes: { type: "gauge", name: "sluice_lanes", help: "Groups of connections with the same subscriptions." },
  tailBytes: {
    type: "gauge",
    name: "sluice_tail_bytes",
    help: "Bytes of recent frames kept in memory; bounded by `buffer.tail_bytes`.",
  },
  eventsPublished: {
    type: "counter",
    name: "sluice_events_published_total",
    help: "Events accepted as new or known already by their `event_id`; `refused` counts requests that were refused whole.",
    label: "result",
    values: ["accepted", "duplicate", "refused"],
  },
  publishesRefused: {
    type: "counter",
    name: "sluice_publishes_refused_total",
    help: "Publish requests that were refused whole, by why.",
    label: "reason",
    values: [...keysOf(problemTypes), "LOG_FULL", "LOG_BUSY", "LOG_FAILED", "LOG_CLOSED", otherLabel],
  },
  publishedBytes: {
    type: "counter",
    name: "sluice_published_bytes_total",
    help: "Bytes of events that were accepted, as they are stored.",
  },
  eventsRouted: {
    type: "counter",
    name: "sluice_events_routed_total",
    help: "Events that were matched against the subscriptions, each counted once.",
  },
  eventsDelivered: {
    type: "counter",
    name: "sluice_events_delivered_total",
    help: "Events handed to sockets, counted for each connection.",
  },
  eventsDropped: {
    type: "counter",
    name: "sluice_events_dropped_total",
    help: "Events skipped for connections that fell behind, by their policy; a `gap` tells each of them.",
    label: "policy",
    values: policies,
  },
  gaps: { type: "counter", name: "sluice_gaps_total", help: "`gap` frames, each for one or more missing events." },
  deliveryLatency: {
    type: "histogram",
    name: "sluice_delivery_latency_seconds",
    help: "From durable in the log to handed to the socket, for each event and connection.",
    buckets: deliveryLatencyBuckets,
  },
  socketWrites: {
    type: "counter",
    name: "sluice_socket_writes_total",
    help: "Writes to sockets; delivered events per write say how much is joined.",
  },
  bytesSent: { type: "counter", name: "sluice_sent_bytes_total", help: "Bytes of frames handed to sockets." },
  bytesReceived: { type: "counter", name: "sluice_received_bytes_total", help: "Bytes of messages from clients." },
  heartbeatMisses: {
    type: "counter",
    name: "sluice_heartbeat_misses_total",
    help: "Pongs that did not come within `heartbeat.timeout_ms`.",
  },
  heartbeatTimeouts: {
    type: "counter",
    name: "sluice_heartbeat_timeouts_total",
    help: "Connections ended after `heartbeat.max_missed` missed pongs.",
  },
  commands: {
    type: "counter",
    name: "sluice_commands_total",
    help: "Commands from clients, by type.",
    label: "type",
    values: ["subscribe", "unsubscribe", "ping", "pong", "refresh"],
  },
  errors: {
    type: "counter",
    name: "sluice_errors_total",
    help: "`error` frames sent, by code.",
    label: "code",
    values: keysOf(errorCodes),
  },
  logEvents: { type: "gauge", name: "sluice_log_events", help: "Events that the log retains." },
  logBytes: { type: "gauge", name: "sluice_log_bytes", help: "Bytes of events that the log retains." },
  logHeadSeq: { type: "gauge", name: "sluice_log_head_seq", help: "`seq` of the newest event; 0 before the first." },
  logOldestSeq: { type: "gauge", name: "sluice_log_oldest_seq", help: "`seq` of the oldest retained event." },
  logCommit: {
    type: "histogram",
    name: "sluice_log_commit_seconds",
    help: "How long a commit of the log took until it was durable.",
    buckets: commitBuckets,
  },
} as const satisfies MetricTable;
