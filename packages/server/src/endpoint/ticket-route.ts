// One-time tickets for clients that can't send a header (protocol §1, §8).

import { type RequireIdentity, sendProblem, type TicketStore } from "@sluice/runtime";
import type { FastifyInstance } from "fastify";

export interface TicketRouteOptions {
  readonly tickets: TicketStore;
  readonly requireIdentity: RequireIdentity;
  readonly onIssued: () => void;
}

const msPerS = 1000;

export function registerTicketRoute(app: FastifyInstance, options: TicketRouteOptions): void {
  app.post("/api/v1/tickets", async (request, reply) => {
    const identity = await options.requireIdentity(request, reply);
    if (identity === undefined) return reply;
    const outcome = options.tickets.issue(identity);
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
}
