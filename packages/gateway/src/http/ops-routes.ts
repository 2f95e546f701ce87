// Whether the gateway lives, whether it leads anywhere, how its backends are, and its metrics. Open: none tells of a user.
import { type Clock, sendProblem } from "@sluice/runtime";
import type { FastifyInstance } from "fastify";
import type { BackendPool } from "../backends/backend-pool.js";
import type { Tunnels } from "../tunnel/tunnels.js";

export interface OpsRoutesOptions {
  readonly pool: BackendPool;
  readonly tunnels: Tunnels;
  readonly clock: Clock;
  readonly isDraining: () => boolean;
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
}

export function registerOpsRoutes(
  app: FastifyInstance,
  { pool, tunnels, clock, isDraining, metrics }: OpsRoutesOptions,
): void {
  const unreadiness = (): string | undefined => {
    if (isDraining()) return "The gateway is draining";
    return pool.available === 0 ? "No backend is available" : undefined;
  };
  app.get("/livez", async () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const reason = unreadiness();
    if (reason === undefined) return { status: "ok" };
    return sendProblem(reply, { name: "unavailable", detail: reason, headers: { "retry-after": "1" } });
  });
  app.get("/healthz/detailed", async (_request, reply) => {
    const now = clock.now();
    const backends = pool.backends.map((backend) => backend.view(now));
    const reason = unreadiness();
    const isWhole = backends.every(({ available, ejected_ms: ejectedMs }) => available && ejectedMs === 0);
    const status = reason !== undefined ? "unavailable" : isWhole ? "ok" : "degraded";
    return reply.code(reason === undefined ? 200 : 503).send({
      status,
      gateway: { draining: isDraining(), connections: tunnels.size, buffered_bytes: tunnels.bufferedBytes },
      backends,
    });
  });
  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
}
