// Every metric of the gateway, defined once. Labels have few, known values; none is a user, a connection or a backend.
import { authFailures } from "../identity/auth-failures.js";
import type { MetricTable } from "./metric-table.js";

/** From a verified token and a backend on the same machine to an issuer that has to be asked, seconds. */
export const handshakeBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export const gatewayMetricsTable = {
  connections: { type: "gauge", name: "sluice_gateway_connections", help: "Tunnels that are open." },
  connectionsPaused: {
    type: "gauge",
    name: "sluice_gateway_connections_paused",
    help: "Tunnels whose client takes nothing at the moment, so that its backend is not read.",
  },
  connectionsOpened: {
    type: "counter",
    name: "sluice_gateway_connections_opened_total",
    help: "Tunnels that were opened, after authentication and the backend's answer.",
  },
  connectionsEnded: {
    type: "counter",
    name: "sluice_gateway_connections_ended_total",
    help: "Tunnels that ended, by what ended them; `closed` is a close frame of either side.",
    label: "end",
    values: [
      "closed",
      "client-gone",
      "client-fault",
      "client-stalled",
      "backend-lost",
      "backend-fault",
      "backend-stalled",
      "ended-here",
    ],
  },
  places: {
    type: "gauge",
    name: "sluice_gateway_places",
    help: "Tunnels, handshakes and HTTP requests at the moment; bounded by `gateway.limits.connections`.",
  },
  bytes: {
    type: "counter",
    name: "sluice_gateway_bytes_total",
    help: "Bytes that went through tunnels.",
    label: "direction",
    values: ["to_client", "to_backend"],
  },
  bufferedBytes: {
    type: "gauge",
    name: "sluice_gateway_tunnel_buffered_bytes",
    help: "Bytes held for all tunnels; of each at most `gateway.tunnel.buffer_bytes`.",
  },
  handshakeSeconds: {
    type: "histogram",
    name: "sluice_gateway_handshake_seconds",
    help: "From a whole handshake request to its answer, for those that became tunnels.",
    buckets: handshakeBuckets,
  },
  refused: {
    type: "counter",
    name: "sluice_gateway_refused_total",
    help: "Handshakes and requests refused for another reason than authentication.",
    label: "reason",
    values: ["malformed", "host", "origin", "rate", "capacity", "draining", "timeout", "no-backend", "backend-refused"],
  },
  authFailures: {
    type: "counter",
    name: "sluice_gateway_auth_failures_total",
    help: "Callers that were not let in, by why.",
    label: "reason",
    values: Object.keys(authFailures),
  },
  ticketsIssued: { type: "counter", name: "sluice_gateway_tickets_issued_total", help: "Tickets that were issued." },
  requests: { type: "counter", name: "sluice_gateway_requests_total", help: "HTTP requests that went to a backend." },
  backends: { type: "gauge", name: "sluice_gateway_backends", help: "Backends of the list." },
  backendsAvailable: {
    type: "gauge",
    name: "sluice_gateway_backends_available",
    help: "Backends of the list that may get the next caller.",
  },
  backendErrors: {
    type: "counter",
    name: "sluice_gateway_backend_errors_total",
    help: "Failures of backends: not reached, too late, no WebSocket although it said so, 5xx; lost, faulty or stuck in a tunnel.",
    label: "kind",
    values: ["connect", "timeout", "protocol", "unavailable", "lost", "fault", "stalled"],
  },
  retries: {
    type: "counter",
    name: "sluice_gateway_retries_total",
    help: "Times that another backend was asked because one had failed.",
  },
} as const satisfies MetricTable;
