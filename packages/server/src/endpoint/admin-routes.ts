// What an operator sees and ends (protocol §8): connections, a user's connections, subscription counts; of all nodes
// that make up the service.

import { closes } from "@sluice/protocol";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { Consumer } from "../delivery/consumer.js";
import type { NodeAnswers, NodeBus } from "../nodes/node-bus.js";
import type { SubscriptionManager } from "../routing/subscription-manager.js";
import type { Connection, Connections } from "./connections.js";
import { viewConnections, type ConnectionView, type ConnectionViewContext } from "./connection-view.js";
import { jsonList } from "./json-list.js";
import { type RequireIdentity, sendProblem } from "@sluice/runtime";

export interface AdminRoutesOptions {
  readonly connections: Connections;
  readonly subscriptions: SubscriptionManager<Consumer>;
  readonly view: ConnectionViewContext;
  readonly nodes: NodeBus;
  readonly requireAdmin: RequireIdentity;
  /** Told of every connection that an operator ends. */
  readonly onRevoked: (connection: Connection, operator: string) => void;
}

interface IdParams {
  readonly id: string;
}

/** Which connections are asked for; all where neither is given. */
interface Wanted {
  readonly id?: string;
  readonly userId?: string;
}

interface Revocation extends Wanted {
  readonly operator: string;
}

interface EventCount {
  readonly event: string;
  readonly connections: number;
}

interface NodeSubscriptions {
  readonly counts: readonly EventCount[];
  readonly lanes: number;
}

export function registerAdminRoutes(app: FastifyInstance, options: AdminRoutesOptions): void {
  const { connections, subscriptions, view, nodes, requireAdmin, onRevoked } = options;

  const find = ({ id, userId }: Wanted): Connection[] => {
    if (userId !== undefined) return connections.ofUser(userId);
    if (id === undefined) return [...connections];
    const connection = connections.get(id);
    return connection === undefined ? [] : [connection];
  };

  nodes.answer("connections", (wanted) => viewConnections(find(wanted as Wanted), view));
  nodes.answer("revoke", (question) => {
    const revocation = question as Revocation;
    const ended = find(revocation);
    for (const connection of ended) {
      onRevoked(connection, revocation.operator);
      view.delivery.close(connection.session.consumer, closes.revoked);
    }
    return ended.map(({ id }) => id);
  });
  nodes.answer("subscriptions", () => {
    const counts = [...subscriptions.counts].map(([event, count]) => ({ event, connections: count }));
    return [{ counts, lanes: subscriptions.lanes.size } satisfies NodeSubscriptions];
  });

  /** Of a service of several nodes: which they are, and which of them did not answer. */
  const nodesOf = ({ answers, silent }: NodeAnswers<unknown>): object =>
    nodes.node === undefined ? {} : { nodes: answers.map(({ node }) => node), silent };

  const shown = ({ answers }: NodeAnswers<ConnectionView>): object[] =>
    answers.flatMap(({ node, items }) => (nodes.node === undefined ? items : items.map((item) => ({ ...item, node }))));

  /** Ends connections everywhere; a node that does not answer may go on with one, which the operator has to know. */
  const revoke = async (reply: FastifyReply, revocation: Revocation, isOne: boolean): Promise<FastifyReply> => {
    const asked = (await nodes.ask("revoke", revocation)) as NodeAnswers<string>;
    const closed = asked.answers.reduce((sum, { items }) => sum + items.length, 0);
    if (asked.silent.length > 0 && !(isOne && closed > 0)) {
      const detail = `${closed} closed; did not answer, ask again: ${asked.silent.join(", ")}`;
      return sendProblem(reply, { name: "unavailable", detail, headers: { "retry-after": "1" } });
    }
    if (isOne && closed === 0) return sendProblem(reply, { name: "not-found", detail: "No such connection" });
    return reply.send({ closed });
  };

  app.get("/api/v1/connections", async (request, reply) => {
    if ((await requireAdmin(request, reply)) === undefined) return reply;
    const asked = (await nodes.ask("connections", {})) as NodeAnswers<ConnectionView>;
    return reply.type("application/json").send(jsonList("connections", shown(asked), nodesOf(asked)));
  });

  app.get<{ Params: IdParams }>("/api/v1/connections/:id", async (request, reply) => {
    if ((await requireAdmin(request, reply)) === undefined) return reply;
    const asked = (await nodes.ask("connections", {
      id: request.params.id,
    } satisfies Wanted)) as NodeAnswers<ConnectionView>;
    const [connection] = shown(asked);
    if (connection === undefined) return sendProblem(reply, { name: "not-found", detail: "No such connection" });
    return connection;
  });

  app.delete<{ Params: IdParams }>("/api/v1/connections/:id", async (request, reply) => {
    const operator = await requireAdmin(request, reply);
    if (operator === undefined) return reply;
    return revoke(reply, { id: request.params.id, operator: operator.userId }, true);
  });

  app.delete<{ Params: IdParams }>("/api/v1/users/:id/connections", async (request, reply) => {
    const operator = await requireAdmin(request, reply);
    if (operator === undefined) return reply;
    return revoke(reply, { userId: request.params.id, operator: operator.userId }, false);
  });

  app.get("/api/v1/subscriptions", async (request, reply) => {
    if ((await requireAdmin(request, reply)) === undefined) return reply;
    const asked = (await nodes.ask("subscriptions", {})) as NodeAnswers<NodeSubscriptions>;
    const all = asked.answers.flatMap(({ items }) => items);
    const sums = new Map<string, number>();
    for (const { event, connections: count } of all.flatMap(({ counts }) => counts)) {
      sums.set(event, (sums.get(event) ?? 0) + count);
    }
    const counts = [...sums].map(([event, count]): EventCount => ({ event, connections: count }));
    return {
      subscriptions: counts.sort((a, b) => b.connections - a.connections),
      lanes: all.reduce((sum, { lanes }) => sum + lanes, 0),
      ...nodesOf(asked),
    };
  });
}
