// The gateway's metrics, read from where they are counted.
import { createMetricsRegistry, gatewayMetricsTable, registerMetrics } from "@sluice/runtime";
import type { BackendPool } from "./backends/backend-pool.js";
import type { Places } from "./admission/places.js";
import type { GatewayTally } from "./gateway-tally.js";
import type { Tunnels } from "./tunnel/tunnels.js";

export interface GatewayMetricSources {
  readonly tally: GatewayTally;
  readonly tunnels: Tunnels;
  readonly places: Places;
  readonly pool: BackendPool;
}

/** A registry of its own with all of them. */
export function createGatewayMetrics({
  tally,
  tunnels,
  places,
  pool,
}: GatewayMetricSources): ReturnType<typeof createMetricsRegistry> {
  const registry = createMetricsRegistry();
  const metrics = registerMetrics(registry, gatewayMetricsTable);
  metrics.connections.readFrom(() => tunnels.size);
  metrics.connectionsPaused.readFrom(() => tunnels.paused);
  metrics.connectionsOpened.readFrom(() => tally.tunnelsOpened);
  metrics.connectionsEnded.readFrom(() => tally.ends);
  metrics.places.readFrom(() => places.taken);
  metrics.bytes.readFrom(() => [
    ["to_client", tally.bytesToClients],
    ["to_backend", tally.bytesToBackends],
  ]);
  metrics.bufferedBytes.readFrom(() => tunnels.bufferedBytes);
  metrics.handshakeSeconds.readFrom(tally.handshakeSeconds);
  metrics.refused.readFrom(() => tally.refused);
  metrics.authFailures.readFrom(() => tally.authFailures);
  metrics.ticketsIssued.readFrom(() => tally.ticketsIssued);
  metrics.requests.readFrom(() => tally.requests);
  metrics.backends.readFrom(() => pool.backends.length);
  metrics.backendsAvailable.readFrom(() => pool.available);
  metrics.backendErrors.readFrom(() => tally.backendErrors);
  metrics.retries.readFrom(() => tally.retries);
  return registry;
}
