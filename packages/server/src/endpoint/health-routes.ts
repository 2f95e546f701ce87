// Whether the process lives, whether it takes traffic, and its metrics. Open: nothing here tells of an event or a user.

import type { FastifyInstance } from "fastify";
import { sendProblem } from "@sluice/runtime";

export interface HealthRoutesOptions {
  /** Why the service is not ready, in a few words; undefined when it is. */
  readonly unreadiness: () => string | undefined;
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
}

export function registerHealthRoutes(app: FastifyInstance, { unreadiness, metrics }: HealthRoutesOptions): void {
  app.get("/livez", async () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const reason = unreadiness();
    if (reason === undefined) return { status: "ok" };
    return sendProblem(reply, { name: "unavailable", detail: reason, headers: { "retry-after": "1" } });
  });
  app.get("/metrics", async (_request, reply) => {
    return reply.type(metrics.contentType).send(await metrics.metrics());
  });
}
