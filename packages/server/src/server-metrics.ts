// The service's metrics: each is read from where it is counted, when somebody scrapes.

import { policies } from "@sluice/protocol";
import {
  createMetricsRegistry,
  type MetricsReading,
  readMetrics,
  registerMetrics,
  serverMetricsTable,
} from "@sluice/runtime";
import type { Consumer } from "./delivery/consumer.js";
import type { Delivery } from "./delivery/delivery.js";
import type { Connections } from "./endpoint/connections.js";
import type { EndpointTally } from "./endpoint/endpoint-tally.js";
import type { PublishMeter } from "./endpoint/publisher.js";
import type { EventLog } from "./log/event-log.js";
import type { CommitReport } from "./log/log-options.js";
import type { SubscriptionManager } from "./routing/subscription-manager.js";
import type { SessionTally } from "./session/session-tally.js";

/** Where the numbers are. */
export interface MetricSources {
  readonly delivery: Delivery;
  readonly subscriptions: SubscriptionManager<Consumer>;
  readonly connections: Connections;
  readonly endpoint: EndpointTally;
  readonly session: SessionTally;
}

/** The metrics of one server (docs/metrics.md). */
export interface ServerMetrics {
  readonly contentType: string;
  /** What this process counts now. */
  readonly read: () => Promise<MetricsReading>;
  readonly observeCommit: (report: CommitReport) => void;
  readonly publishMeter: PublishMeter;
  /** From now on the metrics show these. */
  watch(sources: MetricSources): void;
  /** The same for the log, in the one process that writes it. */
  watchLog(log: EventLog): void;
  /** Ends the sampling. */
  close(): void;
}

/** How often the events that wait for each connection are looked at, ms. */
const samplingMs = 5000;
const msPerS = 1000;

/** A registry of its own, so that several servers can live in one process. */
export function createServerMetrics(): ServerMetrics {
  const registry = createMetricsRegistry();
  const metrics = registerMetrics(registry, serverMetricsTable);
  const published = metrics.eventsPublished.by;
  let sampling: NodeJS.Timeout | undefined;

  function watchDelivery({ delivery, subscriptions }: MetricSources): void {
    const { tally } = delivery;
    metrics.connectionsPaused.readFrom(() => tally.paused);
    metrics.pauses.readFrom(() => tally.pauses);
    metrics.resumes.readFrom(() => tally.resumes);
    metrics.eventsRouted.readFrom(() => delivery.routed);
    metrics.eventsDelivered.readFrom(() => tally.delivered);
    metrics.eventsDropped.readFrom(() => policies.map((policy) => [policy, delivery.dropped(policy)] as const));
    metrics.gaps.readFrom(() => tally.gaps);
    metrics.deliveryLatency.readFrom(tally.latencyS);
    metrics.socketWrites.readFrom(() => tally.writes);
    metrics.bytesSent.readFrom(() => tally.bytesOut);
    metrics.tailBytes.readFrom(() => delivery.memoryBytes);
    metrics.lanes.readFrom(() => subscriptions.lanes.size);
    metrics.subscriptions.readFrom(() => [...subscriptions.counts.values()].reduce((sum, count) => sum + count, 0));
    sampling = setInterval(() => {
      let behind = 0;
      // Of those that are level with their lane nothing waits; there may be thousands, none of which is looked at.
      for (const lane of subscriptions.lanes.values()) {
        if (!lane.hasLaggards) continue;
        for (const consumer of lane.behind) metrics.pendingEvents.observe(consumer.pending);
        for (const consumer of lane.parked) metrics.pendingEvents.observe(consumer.pending);
        behind += lane.behind.size + lane.parked.size;
      }
      metrics.pendingEvents.observe(0, delivery.consumers.size - behind);
    }, samplingMs).unref();
  }

  function watchConversations({ connections, endpoint, session }: MetricSources): void {
    metrics.connections.readFrom(() => connections.size);
    metrics.connectionsOpened.readFrom(() => endpoint.opened);
    metrics.connectionsClosed.readFrom(() => endpoint.closed);
    metrics.handshakesRefused.readFrom(() => Object.entries(endpoint.refused));
    metrics.authFailures.readFrom(() => endpoint.authFailures);
    metrics.ticketsIssued.readFrom(() => endpoint.ticketsIssued);
    metrics.bytesReceived.readFrom(() => endpoint.bytesIn);
    metrics.heartbeatMisses.readFrom(() => session.heartbeatMisses);
    metrics.heartbeatTimeouts.readFrom(() => session.heartbeatTimeouts);
    metrics.commands.readFrom(() => Object.entries(session.commands));
    metrics.errors.readFrom(() => session.errors);
  }

  function watchLog(log: EventLog): void {
    metrics.logEvents.readFrom(() => log.stats().events);
    metrics.logBytes.readFrom(() => log.stats().bytes);
    metrics.logHeadSeq.readFrom(() => log.head);
    metrics.logOldestSeq.readFrom(() => log.oldest);
  }

  return {
    contentType: registry.contentType,
    read: () => readMetrics(registry),
    observeCommit: ({ durationMs }) => metrics.logCommit.observe(durationMs / msPerS),
    publishMeter: {
      accepted: ({ events, duplicates, bytes }) => {
        published.accepted.value += events - duplicates;
        published.duplicate.value += duplicates;
        metrics.publishedBytes.value += bytes;
      },
      refused: (reason) => {
        published.refused.value += 1;
        metrics.publishesRefused.count(reason);
      },
    },
    watch: (sources) => {
      watchDelivery(sources);
      watchConversations(sources);
    },
    watchLog,
    close: () => clearInterval(sampling),
  };
}
