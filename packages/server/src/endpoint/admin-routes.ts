// What an operator sees and ends (protocol §8): connections, a user's connections, subscription counts.

import { closes } from "@sluice/protocol";
import type { FastifyInstance } from "fastify";
import type { Consumer } from "../delivery/consumer.js";
import type { SubscriptionManager } from "../routing/subscription-manager.js";
import type { Connection, Connections } from "./connections.js";
import { viewConnection, type ConnectionViewContext } from "./connection-view.js";
import { type RequireIdentity, sendProblem } from "@sluice/runtime";

export interface AdminRoutesOptions {
  readonly connections: Connections;
  readonly subscriptions: SubscriptionManager<Consumer>;
  readonly view: ConnectionViewContext;
  readonly requireAdmin: RequireIdentity;
  /** Told of every connection that an operator ends. */
  readonly onRevoked: (connection: Connection, operator: string) => void;
}

interface IdParams {
  readonly id: string;
}

export function registerAdminRoutes(app: FastifyInstance, options: AdminRoutesOptions): void {
  const { connections, subscriptions, view, requireAdmin, onRevoked } = options;

  const revoke = (connection: Connection, operator: string): void => {
    onRevoked(connection, operator);
    view.delivery.close(connection.session.consumer, closes.revoked);
  };

  app.get("/api/v1/connections", async (request, reply) => {
    if ((await requireAdmin(request, reply)) === undefined) return reply;
    return { connections: [...connections].map((connection) => viewConnection(connection, view)) };
  });

  app.get<{ Params: IdParams }>("/api/v1/connections/:id", async (request, reply) => {
    if ((await requireAdmin(request, reply)) === undefined) return reply;
    const connection = connections.get(request.params.id);
    if (connection === undefined) return sendProblem(reply, { name: "not-found", detail: "No such connection" });
    return viewConnection(connection, view);
  });

  app.delete<{ Params: IdParams }>("/api/v1/connections/:id", async (request, reply) => {
    const operator = await requireAdmin(request, reply);
    if (operator === undefined) return reply;
    const connection = connections.get(request.params.id);
    if (connection === undefined) return sendProblem(reply, { name: "not-found", detail: "No such connection" });
    revoke(connection, operator.userId);
    return { closed: 1 };
  });

  app.delete<{ Params: IdParams }>("/api/v1/users/:id/connections", async (request, reply) => {
    const operator = await requireAdmin(request, reply);
    if (operator === undefined) return reply;
    const ended = connections.ofUser(request.params.id);
    for (const connection of ended) revoke(connection, operator.userId);
    return { closed: ended.length };
  });

  app.get("/api/v1/subscriptions", async (request, reply) => {
    if ((await requireAdmin(request, reply)) === undefined) return reply;
    const counts = [...subscriptions.counts].map(([event, count]) => ({ event, connections: count }));
    return { subscriptions: counts.sort((a, b) => b.connections - a.connections), lanes: subscriptions.lanes.size };
  });
}
