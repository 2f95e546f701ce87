// Puts the rooms together: one streaming service, from its settings to its listening ports and back to nothing.

import { hostname } from "node:os";
import {
  aggregateMetrics,
  createAuthenticator,
  identify,
  systemClock,
  type AuthFailureReason,
  type Clock,
  type FoundToken,
  type Logger,
  type Settings,
} from "@sluice/runtime";
import { closes } from "@sluice/protocol";
import { BackpressureHandler } from "./delivery/backpressure-handler.js";
import type { Consumer } from "./delivery/consumer.js";
import { Delivery } from "./delivery/delivery.js";
import { drainConsumers } from "./drain.js";
import { Connections } from "./endpoint/connections.js";
import { createHttp, type SluiceHttp } from "./endpoint/create-http.js";
import { EndpointTally } from "./endpoint/endpoint-tally.js";
import { createPublisher, type PublishOutcome } from "./endpoint/publisher.js";
import { WebSocketEndpoint } from "./endpoint/websocket-endpoint.js";
import { connectNats } from "./log/jetstream/connect-nats.js";
import { joinNodes } from "./join-nodes.js";
import type { Member } from "./nodes/member.js";
import { openLog } from "./open-log.js";
import { SubscriptionManager } from "./routing/subscription-manager.js";
import { StallNotice } from "./stall-notice.js";
import { createServerMetrics } from "./server-metrics.js";
import { ExpiryWatch } from "./session/expiry-watch.js";
import { HeartbeatManager } from "./session/heartbeat-manager.js";
import { PingFrames } from "./session/ping-frames.js";
import type { SessionContext } from "./session/session.js";
import { SessionTally } from "./session/session-tally.js";

/** A running streaming service. */
export interface SluiceServer {
  /** Where it listens, with the real port: `http://127.0.0.1:8081`. */
  readonly url: string;
  /** The same for `/livez`, `/readyz` and `/metrics`; equal to `url` without a listener of their own. */
  readonly opsUrl: string;
  /** Publishes from within the process, with the checks of `POST /api/v1/events`; no rights are asked. */
  publish(events: unknown): Promise<PublishOutcome>;
  /**
   * Ends the service gracefully: not ready, no new publish and no new connection, `disconnect` frames with spread,
   * flush, Close 1012, listeners and log closed. Takes at most `server.drain_ms` and a little.
   */
  drain(): Promise<void>;
  /** Ends it at once: sockets are cut. What was acknowledged is durable all the same. */
  close(): Promise<void>;
}

export interface CreateServerOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** The service that this process is a worker of; default none, it is the whole service. */
  readonly member?: Member;
}

/** What a peer may take to answer its close when the service ends, ms, beyond `server.drain_ms`. */
const closeGraceMs = 1000;

/**
 * Starts a streaming service; it listens when this resolves.
 * @throws {LogError} when the log can't be opened; {AuthSettingsError} when nobody could authenticate; Node's errors
 *   (`EADDRINUSE`, `EACCES`) when a port can't be taken.
 */
export async function createServer({
  settings,
  logger,
  clock = systemClock,
  member,
}: CreateServerOptions): Promise<SluiceServer> {
  const tally = new EndpointTally();
  const sessionTally = new SessionTally();
  const onFailure = (reason: AuthFailureReason): void => tally.countAuthFailure(reason);
  const authenticator = createAuthenticator(settings.auth, {
    clock,
    tokenBytesMax: settings.limits.token_bytes,
    onFailure,
    onTrouble: (trouble) => logger.warn({ trouble }, "the token issuer could not be asked"),
  });
  for (const warning of authenticator.warnings) logger.warn(warning);
  const metrics = createServerMetrics();
  const node = settings.nats.node ?? `${hostname()}-${process.pid}`;
  const nats = settings.log.engine === "jetstream" ? await connectNats(settings.nats, node) : undefined;
  // Both come after the log that tells them.
  let stall: StallNotice | undefined;
  let endAll: (() => void) | undefined;
  const onLogError = (error: Error): void => logger.error({ err: error }, "a fault in the log harmed no append");
  const followed = member?.openLog({
    dir: settings.log.dir,
    room: () => delivery.room(),
    onError: onLogError,
    // Nobody catches it: the process ends, and another worker takes its place.
    onLost: (error) => {
      throw error;
    },
  });
  const log =
    followed ??
    (await openLog({
      settings,
      clock,
      nats,
      onNotice: (notice) => logger.warn(notice),
      onReachable: (isReachable) => {
        if (isReachable) logger.info("NATS is in reach again");
        else logger.warn("NATS is out of reach; connections stay, events wait");
        stall?.changed(isReachable);
      },
      // They come back with where they stood, and get a gap for what is gone.
      onHole: (toSeq) => {
        logger.error({ to_seq: toSeq }, "retention took events before this node had them; all connections begin anew");
        endAll?.();
      },
      onError: onLogError,
      onCommit: metrics.observeCommit,
    }).catch(async (error: unknown) => {
      await nats?.close();
      throw error;
    }));
  if (member === undefined) {
    metrics.watchLog(log);
    logger.info({ engine: settings.log.engine, epoch: log.epoch, head: log.head, oldest: log.oldest }, "log open");
  }

  const { nodes, tickets } = await joinNodes({ settings, logger, clock, nats, node, member });
  const identifyFound = (found: FoundToken) => identify(found, { authenticator, tickets, onFailure });
  const subscriptions = new SubscriptionManager<Consumer>({
    maxPerConnection: settings.subscriptions.max_per_connection,
  });
  const onError = (error: unknown, connectionId?: string): void =>
    logger.error({ err: error, connection_id: connectionId }, "a fault of the service");
  const { high_watermark: highWatermark, low_watermark: lowWatermark, max_messages: maxMessages } = settings.buffer;
  const delivery = new Delivery({
    log,
    clock,
    subscriptions,
    backpressure: new BackpressureHandler({ highWatermark, lowWatermark }),
    maxMessages,
    tailBytes: settings.buffer.tail_bytes,
    onError,
  });
  stall = new StallNotice(delivery, clock);
  endAll = () => {
    for (const consumer of [...delivery.consumers]) delivery.close(consumer, closes.serviceRestart);
  };
  const heartbeat = new HeartbeatManager({
    intervalMs: settings.heartbeat.interval_ms,
    timeoutMs: settings.heartbeat.timeout_ms,
    maxMissed: settings.heartbeat.max_missed,
    clock,
    onMiss: () => {
      sessionTally.heartbeatMisses += 1;
    },
  });
  const expiry = new ExpiryWatch(clock);
  const publisher = createPublisher({
    log,
    limits: settings.limits,
    clock,
    meter: metrics.publishMeter,
    room: () => delivery.room(),
  });
  const { connections: total, connections_per_user: perUser, connections_per_address: perAddress } = settings.limits;
  const connections = new Connections({ total, perUser, perAddress }, member?.elsewhere);
  let isDraining = false;

  const context: SessionContext = {
    clock,
    log,
    delivery,
    subscriptions,
    heartbeat,
    pingFrames: new PingFrames(),
    expiry,
    authenticator,
    tally: sessionTally,
    greeting: {
      heartbeat: {
        interval_ms: settings.heartbeat.interval_ms,
        timeout_ms: settings.heartbeat.timeout_ms,
        max_missed: settings.heartbeat.max_missed,
      },
      buffer: { max_messages: maxMessages, high_watermark: highWatermark, low_watermark: lowWatermark },
    },
    heartbeatCloseCode: settings.heartbeat.close_code,
    commandRate: { perSecond: settings.limits.commands_per_second, burst: settings.limits.command_burst },
    onError,
  };
  const http: SluiceHttp = await createHttp({
    settings,
    logger,
    clock,
    publisher,
    connections,
    subscriptions,
    context,
    log,
    nodes,
    tickets,
    tally,
    identify: identifyFound,
    registry: {
      contentType: metrics.contentType,
      metrics: async () => aggregateMetrics((await member?.metrics()) ?? [await metrics.read()]),
    },
    isAccepting: () => !isDraining,
    unreadiness: () => (isDraining ? "The service is draining" : logUnreadiness(log.stats().state)),
  });
  const webSockets = new WebSocketEndpoint({
    context,
    connections,
    tally,
    identify: identifyFound,
    queryToken: settings.auth.query_token,
    compression: settings.server.compression,
    allowedOrigins: settings.server.allowed_origins,
    defaults: { policy: settings.buffer.policy, maxMessages },
    messageBytesMax: settings.limits.message_bytes,
    handshakeMs: settings.limits.handshake_ms,
    isDraining: () => isDraining,
    onConnection: (event, details) => logger.debug(details, `connection ${event}`),
    onOpen: (consumer) => stall?.greet(consumer),
    onError,
  });
  webSockets.attach(http.server);
  metrics.watch({ delivery, subscriptions, connections, endpoint: tally, session: sessionTally });

  const closeRest = async (): Promise<void> => {
    heartbeat.stop();
    expiry.stop();
    const cut = setTimeout(() => webSockets.cutClosing(), closeGraceMs);
    await http.close().finally(() => clearTimeout(cut));
    delivery.stop();
    await authenticator.close();
    await nodes.close();
    await log.close();
    await nats?.close();
    metrics.close();
  };
  try {
    await http.listen();
  } catch (error) {
    await closeRest();
    throw error;
  }
  heartbeat.start();
  expiry.start();
  if (member === undefined) logger.info({ url: http.url, ops_url: http.opsUrl }, "listening");

  let ending: Promise<void> | undefined;
  const server: SluiceServer = {
    url: http.url,
    opsUrl: http.opsUrl,
    publish: (events) => publisher.publish(events),
    drain: () => {
      isDraining = true;
      ending ??= drainConsumers({ delivery, clock, drainMs: settings.server.drain_ms }).then(closeRest);
      return ending;
    },
    close: () => {
      isDraining = true;
      endAll?.();
      ending ??= closeRest();
      return ending;
    },
  };
  const drain = (): void => member?.leave(server.drain());
  member?.begin({ readMetrics: metrics.read, drain }, { url: http.url, opsUrl: http.opsUrl });
  return server;
}

function logUnreadiness(state: string): string | undefined {
  if (state === "open") return undefined;
  if (state === "unreachable") return "The log can't be reached";
  return state === "full" ? "The log's disk is full" : "The log takes no events";
}
