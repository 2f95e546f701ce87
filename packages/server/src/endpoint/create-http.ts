// The HTTP side: one fastify for the API, and a second one for health and metrics when they listen apart.

import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type AuthOutcome,
  boundPipelining,
  type Clock,
  createHttpAuth,
  cutStalled,
  type FoundToken,
  listenHost,
  type Logger,
  problemServerOptions,
  registerProblemHandlers,
  registerWebSocketPaths,
  restDeadlines,
  type Settings,
} from "@sluice/runtime";
import cors from "@fastify/cors";
import fastify, { type FastifyInstance } from "fastify";
import type { Consumer } from "../delivery/consumer.js";
import type { EventLog } from "../log/event-log.js";
import type { NodeBus } from "../nodes/node-bus.js";
import type { Tickets } from "../nodes/shared-tickets.js";
import type { SubscriptionManager } from "../routing/subscription-manager.js";
import type { SessionContext } from "../session/session.js";
import { registerAdminRoutes } from "./admin-routes.js";
import type { Connections } from "./connections.js";
import type { EndpointTally } from "./endpoint-tally.js";
import { registerHealthRoutes, type HealthRoutesOptions } from "./health-routes.js";
import { registerHistoryRoute } from "./history-route.js";
import { publishRoute } from "./publish-route.js";
import type { Publisher } from "./publisher.js";
import { registerStreamRoute } from "./stream-route.js";
import { registerTicketRoute } from "./ticket-route.js";

/** A whole request, body included, must have arrived by then, ms: the largest publish over a slow line. */
const requestMsMax = 60_000;
/** An idle kept-alive connection is closed after this, ms; longer than common proxies keep theirs. */
const keepAliveMs = 75_000;
/** How often the deadlines of heads and bodies are looked at, ms; seldom would end many late ones in one turn. */
const deadlineCheckMs = 250;
/** TCP connections that may wait to be accepted; Node's 511 makes a crowd that comes back wait for a second SYN. */
const listenBacklog = 4_096;
/** Longest parameter in a path: a user id of 256 characters, each percent-encoded from three bytes of UTF-8. */
const paramLengthMax = 256 * 9;

/** TCP connections beside those that `limits.connections` counts: requests, and such as are idle between two. */
const spareSockets = 1_000;

/** How long a browser may remember what a preflight said, s. */
const corsMaxAgeS = 600;

/** What the routes work with. */
export interface CreateHttpOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly publisher: Publisher;
  readonly connections: Connections;
  readonly subscriptions: SubscriptionManager<Consumer>;
  readonly context: SessionContext;
  readonly log: EventLog;
  readonly nodes: NodeBus;
  readonly tickets: Tickets;
  readonly tally: EndpointTally;
  readonly identify: (found: FoundToken) => Promise<AuthOutcome>;
  readonly registry: HealthRoutesOptions["metrics"];
  readonly isAccepting: () => boolean;
  readonly unreadiness: () => string | undefined;
}

/** The HTTP servers with all their routes. `url` and `opsUrl` can be asked for once they listen. */
export interface SluiceHttp {
  /** For the WebSocket upgrade. */
  readonly server: Server;
  readonly url: string;
  readonly opsUrl: string;
  listen(): Promise<void>;
  /** Stops listening and cuts what is still open. */
  close(): Promise<void>;
}

function createFastify(settings: Settings): FastifyInstance {
  return fastify({
    logger: false,
    routerOptions: { maxParamLength: paramLengthMax },
    requestTimeout: requestMsMax,
    keepAliveTimeout: keepAliveMs,
    forceCloseConnections: true,
    http: { headersTimeout: settings.limits.handshake_ms, connectionsCheckingInterval: deadlineCheckMs },
    ...problemServerOptions,
  });
}

function urlOf(app: FastifyInstance): string {
  const { address, family, port } = app.server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

/** Makes the servers; they listen when they are told to. */
export async function createHttp(options: CreateHttpOptions): Promise<SluiceHttp> {
  const { settings, publisher, clock, connections, subscriptions, context, tickets, tally, isAccepting } = options;
  const { host, port, ops_host: opsHost, ops_port: opsPort } = settings.server;
  const auth = createHttpAuth({
    queryToken: settings.auth.query_token,
    identify: options.identify,
  });
  const app = createFastify(settings);
  app.server.maxConnections = settings.limits.connections + spareSockets;
  registerProblemHandlers(app);
  const anyOrigin = settings.server.allowed_origins.includes("*");
  // Bearer tokens only, so no credentials: a page's cookies are never looked at.
  await app.register(cors, {
    origin: anyOrigin ? "*" : [...settings.server.allowed_origins],
    methods: ["GET", "POST", "DELETE"],
    maxAge: corsMaxAgeS,
  });
  await app.register(publishRoute, {
    publisher,
    clock,
    authenticate: (raw: IncomingMessage) => auth.authenticate({ raw }),
    isAccepting,
    onError: (error: unknown) => options.logger.error({ err: error }, "a publish failed by a fault of the service"),
  });
  registerHistoryRoute(app, { log: options.log, connections, requireIdentity: auth.requireIdentity });
  registerStreamRoute(app, {
    context,
    connections,
    tally,
    isAccepting,
    requireIdentity: auth.requireIdentity,
    allowedOrigins: settings.server.allowed_origins,
    defaults: { policy: settings.buffer.policy, maxMessages: settings.buffer.max_messages },
  });
  registerWebSocketPaths(app);
  registerTicketRoute(app, {
    tickets,
    requireIdentity: auth.requireIdentity,
    onIssued: () => {
      tally.ticketsIssued += 1;
    },
  });
  registerAdminRoutes(app, {
    connections,
    subscriptions,
    view: context,
    nodes: options.nodes,
    requireAdmin: auth.requireAdmin,
    onRevoked: ({ id, userId }, operator) =>
      options.logger.info({ connection_id: id, user_id: userId, operator }, "connection revoked"),
  });
  const ops = opsPort === null ? app : createFastify(settings);
  if (ops !== app) registerProblemHandlers(ops);
  registerHealthRoutes(ops, { unreadiness: options.unreadiness, metrics: options.registry });
  const servers = new Set([app.server, ops.server]);
  for (const server of servers) {
    boundPipelining(server);
    cutStalled(server);
  }

  return {
    server: app.server,
    get url() {
      return urlOf(app);
    },
    get opsUrl() {
      return urlOf(ops);
    },
    listen: async () => {
      for (const server of servers) restDeadlines(server);
      await app.listen({ host: listenHost(host), port, backlog: listenBacklog });
      if (opsPort !== null) await ops.listen({ host: listenHost(opsHost), port: opsPort });
    },
    close: async () => {
      await app.close();
      if (ops !== app) await ops.close();
    },
  };
}
