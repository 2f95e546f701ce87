// Authentication of HTTP requests: who asks, and whether the scope that a path needs is there.

import { challengeFor, scopeChallenge } from "../identity/challenge.js";
import { findToken, type FoundToken } from "../identity/find-token.js";
import type { AuthFailure } from "../identity/auth-failures.js";
import type { Identity } from "../identity/identity.js";
import type { FastifyReply, FastifyRequest } from "fastify";
import { sendProblem } from "./problem.js";

/** Who asks, or why nobody was let in; what a service knows of a caller besides. */
type Outcome<Bearer> = { readonly ok: true; readonly identity: Bearer } | AuthFailure;

export interface HttpAuthOptions<Bearer extends Identity = Identity> {
  readonly queryToken: boolean;
  readonly identify: (found: FoundToken) => Promise<Outcome<Bearer>>;
}

/** Authenticates a request; undefined when it was refused, and then answered. */
export type RequireIdentity<Bearer extends Identity = Identity> = (
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<Bearer | undefined>;

/** What a request's token comes to, from any of the places that may hold one. */
export function createHttpAuth<Bearer extends Identity = Identity>(
  options: HttpAuthOptions<Bearer>,
): {
  readonly authenticate: (request: Pick<FastifyRequest, "raw">) => Promise<Outcome<Bearer>>;
  readonly requireIdentity: RequireIdentity<Bearer>;
  readonly requireAdmin: RequireIdentity<Bearer>;
} {
  const authenticate = (request: Pick<FastifyRequest, "raw">): Promise<Outcome<Bearer>> =>
    options.identify(findToken(request.raw, { queryToken: options.queryToken }));
  const requireIdentity: RequireIdentity<Bearer> = async (request, reply) => {
    const outcome = await authenticate(request);
    if (outcome.ok) return outcome.identity;
    const { headers, detail, status } = challengeFor(outcome, "http");
    const refused = outcome.reason === "missing" ? "authentication-required" : "invalid-token";
    await sendProblem(reply, { name: status === 503 ? "authentication-unavailable" : refused, detail, headers });
    return undefined;
  };
  const requireAdmin: RequireIdentity<Bearer> = async (request, reply) => {
    const identity = await requireIdentity(request, reply);
    if (identity === undefined || identity.rights.admin) return identity;
    const { headers, detail } = scopeChallenge("admin");
    await sendProblem(reply, { name: "insufficient-scope", detail, headers, scope: "admin" });
    return undefined;
  };
  return { authenticate, requireIdentity, requireAdmin };
}
