// Authentication of HTTP requests: who asks, and whether the scope that a path needs is there.

import { challengeFor, scopeChallenge } from "../identity/challenge.js";
import { findToken, type FoundToken } from "../identity/find-token.js";
import type { AuthOutcome, Identity } from "../identity/identity.js";
import type { FastifyReply, FastifyRequest } from "fastify";
import { sendProblem } from "./problem.js";

export interface HttpAuthOptions {
  readonly queryToken: boolean;
  readonly identify: (found: FoundToken) => Promise<AuthOutcome>;
}

/** Authenticates a request; undefined when it was refused, and then answered. */
export type RequireIdentity = (request: FastifyRequest, reply: FastifyReply) => Promise<Identity | undefined>;

/** What a request's token comes to, from any of the places that may hold one. */
export function createHttpAuth(options: HttpAuthOptions): {
  readonly authenticate: (request: FastifyRequest) => Promise<AuthOutcome>;
  readonly requireIdentity: RequireIdentity;
  readonly requireAdmin: RequireIdentity;
} {
  const authenticate = (request: FastifyRequest): Promise<AuthOutcome> =>
    options.identify(findToken(request.raw, { queryToken: options.queryToken }));
  const requireIdentity: RequireIdentity = async (request, reply) => {
    const outcome = await authenticate(request);
    if (outcome.ok) return outcome.identity;
    const { headers, detail, status } = challengeFor(outcome, "http");
    const refused = outcome.reason === "missing" ? "authentication-required" : "invalid-token";
    await sendProblem(reply, { name: status === 503 ? "authentication-unavailable" : refused, detail, headers });
    return undefined;
  };
  const requireAdmin: RequireIdentity = async (request, reply) => {
    const identity = await requireIdentity(request, reply);
    if (identity === undefined || identity.rights.admin) return identity;
    const { headers, detail } = scopeChallenge("admin");
    await sendProblem(reply, { name: "insufficient-scope", detail, headers, scope: "admin" });
    return undefined;
  };
  return { authenticate, requireIdentity, requireAdmin };
}
