// What makes several nodes one service, where the log is NATS', and several workers one node: the bus between them and
// the tickets they share.
import { TicketStore, type Clock, type Logger, type Settings } from "@sluice/runtime";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Member } from "./nodes/member.js";
import { createLocalBus, type NodeBus } from "./nodes/node-bus.js";
import { NatsNodeBus } from "./nodes/nats-node-bus.js";
import { SharedTickets, type Tickets } from "./nodes/shared-tickets.js";

export interface JoinNodesOptions {
  readonly settings: Pick<Settings, "nats" | "auth">;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Undefined where this node is the whole service. */
  readonly nats: NatsConnection | undefined;
  /** Name of this node. */
  readonly node: string;
  /** The service that this process is a worker of, if it is. */
  readonly member?: Member | undefined;
}

/** @throws as `SharedTickets.open` */
export async function joinNodes(options: JoinNodesOptions): Promise<{ nodes: NodeBus; tickets: Tickets }> {
  const { settings, logger, clock, nats, node, member } = options;
  const { ticket_ttl_ms: ttlMs } = settings.auth;
  if (member !== undefined) return { nodes: member.bus, tickets: member.ticketsOf({ ttlMs, clock }) };
  if (nats === undefined) return { nodes: createLocalBus(), tickets: new TicketStore({ ttlMs, clock }) };
  const { stream, prefix, replicas } = settings.nats;
  const tickets = await SharedTickets.open({ nats, stream, prefix, replicas, ttlMs, clock });
  const onNamesake = (): void => logger.error({ node }, "another node has the same name (nats.node)");
  return { nodes: new NatsNodeBus({ nats, prefix, node, now: () => clock.now(), onNamesake }), tickets };
}
