// What the gateway answers itself: tickets, which are redeemed at this door, and what an operator sees and drains here.
import { type RequireIdentity, sendProblem, type TicketStore } from "@sluice/runtime";
import type { FastifyInstance } from "fastify";
import type { Caller } from "../admission/callers.js";
import type { Backend } from "../backends/backend.js";
import type { BackendPool } from "../backends/backend-pool.js";
import type { Clock } from "@sluice/runtime";
import type { Tunnels } from "../tunnel/tunnels.js";

export interface OwnRoutesOptions {
  readonly tickets: TicketStore<Caller>;
  readonly requireIdentity: RequireIdentity<Caller>;
  readonly requireAdmin: RequireIdentity<Caller>;
  readonly pool: BackendPool;
  readonly tunnels: Tunnels;
  readonly clock: Clock;
  readonly onIssued: () => void;
  /** Sends its tunnels away, once it gets nobody new. */
  readonly onDrain: (backend: Backend, operator: string) => void;
}

interface HostParams {
  readonly host: string;
}

const msPerS = 1_000;

export function registerOwnRoutes(app: FastifyInstance, options: OwnRoutesOptions): void {
  const { tickets, requireIdentity, requireAdmin, pool, tunnels, clock } = options;

  app.post("/api/v1/tickets", async (request, reply) => {
    const caller = await requireIdentity(request, reply);
    if (caller === undefined) return reply;
    const outcome = tickets.issue(caller);
    if (!outcome.ok) {
      const retryAfter = String(Math.ceil(outcome.retryAfterMs / msPerS));
      const detail = "Too many tickets wait to be used";
      return sendProblem(reply, { name: "too-many-requests", detail, headers: { "retry-after": retryAfter } });
    }
    options.onIssued();
    // A ticket is a credential: no cache may keep it (RFC 9111 §5.2.2.5).
    return reply
      .header("cache-control", "no-store")
      .send({ ticket: outcome.ticket, expires_in_ms: outcome.expiresInMs });
  });

  app.get("/api/v1/tunnels", async (request, reply) => {
    if ((await requireAdmin(request, reply)) === undefined) return reply;
    return { tunnels: tunnels.views() };
  });

  app.get("/api/v1/backends", async (request, reply) => {
    if ((await requireAdmin(request, reply)) === undefined) return reply;
    return { backends: pool.backends.map((backend) => backend.view(clock.now())) };
  });

  const setDraining = (isDraining: boolean): void => {
    app.route<{ Params: HostParams }>({
      method: isDraining ? "PUT" : "DELETE",
      url: "/api/v1/backends/:host/drain",
      handler: async (request, reply) => {
        const operator = await requireAdmin(request, reply);
        if (operator === undefined) return reply;
        const backend = pool.find(request.params.host);
        if (backend === undefined) return sendProblem(reply, { name: "not-found", detail: "No such backend" });
        const wasDraining = backend.isDraining;
        backend.isDraining = isDraining;
        if (isDraining && !wasDraining) options.onDrain(backend, operator.userId);
        return backend.view(clock.now());
      },
    });
  };
  setDraining(true);
  setDraining(false);
}
