// One-time tickets for clients that can't send a header (protocol §1, §8).

import { type RequireIdentity, sendProblem } from "@sluice/runtime";
import type { FastifyInstance } from "fastify";
import type { Tickets } from "../nodes/shared-tickets.js";

export interface TicketRouteOptions {
  readonly tickets: Tickets;
  readonly requireIdentity: RequireIdentity;
  readonly onIssued: () => void;
}

const msPerS = 1000;

export function registerTicketRoute(app: FastifyInstance, options: TicketRouteOptions): void {
  app.post("/api/v1/tickets", async (request, reply) => {
    const identity = await options.requireIdentity(request, reply);
    if (identity === undefined) return reply;
    const outcome = await options.tickets.issue(identity);
    if (!outcome.ok) {
      const retryAfter = String(Math.ceil(outcome.retryAfterMs / msPerS));
      if (outcome.reason === "unavailable") {
        const detail = "The ticket could not be made known to the other nodes";
        return sendProblem(reply, { name: "unavailable", detail, headers: { "retry-after": retryAfter } });
      }
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
