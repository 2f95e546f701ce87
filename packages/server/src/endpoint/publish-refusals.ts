// The refusals of a publish that are not about what its body says.
import { type AuthFailure, challengeFor, type Problem, publishScope, scopeChallenge } from "@sluice/runtime";
import type { PublishLimits } from "./publish-limits.js";
import type { LogRefusal } from "./publisher.js";

/** When a publisher is asked to try again, s: a queue drains in less, a failed log needs a restart. */
const retrySoon = { "retry-after": "1" };
const retryLater = { "retry-after": "5" };

/** The publisher could not be authenticated. */
export function notAuthenticated(failure: AuthFailure): Problem {
  const { detail, headers } = challengeFor(failure, "http");
  if (failure.status === 503) return { name: "authentication-unavailable", detail, headers };
  return { name: failure.reason === "missing" ? "authentication-required" : "invalid-token", detail, headers };
}

/** The publisher's token allows no publishing at all. */
export function withoutScope(): Problem {
  const { detail, headers } = scopeChallenge(publishScope);
  return { name: "insufficient-scope", detail, headers, scope: publishScope };
}

/** The service drains. */
export const draining: Problem = {
  name: "unavailable",
  detail: "This service is shutting down; nothing was stored",
  headers: retrySoon,
};

/** The bodies that are being read fill their budget. */
export const noRoom: Problem = {
  name: "overloaded",
  detail: "Too many bytes are being published at once; nothing was stored",
  headers: retrySoon,
};

/** The connection broke before the whole body was there; nobody reads this. */
export const aborted: Problem = { name: "bad-request", detail: "The body did not arrive" };

/** Only `identity` is taken: a compressed body would have no bound that holds before it is inflated. */
export const encodedContent: Problem = {
  name: "unsupported-media-type",
  detail: "The body must be sent without Content-Encoding",
  field: "content-encoding",
  allowed: ["identity"],
  headers: { "accept-encoding": "identity" },
};

/** The body is, or says it is, over `limits.publish_body_bytes`. */
export function bodyTooLarge(limits: PublishLimits): Problem {
  const allowed = limits.publish_body_bytes;
  return { name: "body-too-large", detail: `The body may be ${allowed} bytes at most`, allowed };
}

/** What each refusal of the log is to a publisher. */
export const logRefusals: Readonly<Record<LogRefusal, Problem>> = {
  LOG_FULL: { name: "log-full", detail: "There is no space left for events; nothing was stored" },
  LOG_BUSY: {
    name: "overloaded",
    detail: "Too many events wait to be written; nothing was stored",
    headers: retrySoon,
  },
  LOG_FAILED: { name: "unavailable", detail: "The log takes no events; nothing was stored", headers: retryLater },
  LOG_CLOSED: draining,
  LOG_UNREACHABLE: {
    name: "unavailable",
    detail:
      "The log did not confirm the events in time; some of them may be stored. Publish again with the same event_id",
    headers: retryLater,
  },
};
