// The one table of problem details (RFC 9457) that our HTTP answers carry: name, status, title.

/** One kind of refusal. */
export interface ProblemType {
  /** HTTP status code. */
  readonly status: number;
  /** For people, the same for every occurrence (RFC 9457 §3.1.3). */
  readonly title: string;
  /** When it is answered, for the documentation. */
  readonly when: string;
}

export const problemTypes = {
  "bad-request": { status: 400, title: "Bad request", when: "the request is not well-formed HTTP" },
  "invalid-parameter": {
    status: 400,
    title: "Invalid parameter",
    when: "a parameter of the path or query is malformed; `field` names it",
  },
  "malformed-body": {
    status: 400,
    title: "Malformed body",
    when: "the body is not UTF-8 or not what its content type says; `index` and `line` say where",
  },
  "invalid-event": {
    status: 400,
    title: "Invalid event",
    when: "an event breaks a rule; `index` names the event (from 0), `field` the field",
  },
  "no-events": { status: 400, title: "No events", when: "the body holds no event" },
  "authentication-required": { status: 401, title: "Authentication required", when: "no token was sent" },
  "invalid-token": {
    status: 401,
    title: "Invalid token",
    when: "the token is malformed, expired, or not for this service",
  },
  "insufficient-scope": {
    status: 403,
    title: "Insufficient scope",
    when: "the token lacks the scope that `scope` names",
  },
  forbidden: {
    status: 403,
    title: "Forbidden",
    when: "the token's rights do not cover this; for an event `index` and `field` say which",
  },
  "not-found": { status: 404, title: "Not found", when: "there is nothing at this path" },
  "method-not-allowed": {
    status: 405,
    title: "Method not allowed",
    when: "the path takes other methods; `allowed` names them",
  },
  "request-timeout": { status: 408, title: "Request timeout", when: "the request did not arrive in time" },
  "body-too-large": {
    status: 413,
    title: "Body too large",
    when: "the body is larger than `allowed` bytes (`limits.publish_body_bytes`)",
  },
  "batch-too-large": {
    status: 413,
    title: "Too many events",
    when: "more events than `allowed` (`limits.publish_batch_events`)",
  },
  "payload-too-large": {
    status: 413,
    title: "Payload too large",
    when: "the payload of event `index` is larger than `allowed` bytes (`limits.payload_bytes`)",
  },
  "event-too-large": {
    status: 413,
    title: "Event too large",
    when: "event `index` is larger than `allowed` bytes, which no event with a payload within its limit is",
  },
  "unsupported-media-type": {
    status: 415,
    title: "Unsupported media type",
    when: "a content type, charset or content encoding that the path does not take; `allowed` names what it takes",
  },
  "expectation-failed": { status: 417, title: "Expectation failed", when: "an `Expect` other than `100-continue`" },
  "too-many-requests": {
    status: 429,
    title: "Too many requests",
    when: "a rate limit was passed; try again after `Retry-After`",
  },
  "upgrade-required": {
    status: 426,
    title: "Upgrade required",
    when: "a WebSocket handshake of another version; `Sec-WebSocket-Version` names ours",
  },
  "headers-too-large": {
    status: 431,
    title: "Headers too large",
    when: "the request's headers are larger than the server takes",
  },
  "internal-error": { status: 500, title: "Internal error", when: "a fault of ours; it may or may not have been done" },
  "bad-gateway": {
    status: 502,
    title: "Bad gateway",
    when: "the gateway lost the service behind it in the middle; what was asked may or may not have been done",
  },
  overloaded: {
    status: 503,
    title: "Overloaded",
    when: "too many bytes wait to be committed; nothing was stored, try again after `Retry-After`",
  },
  unavailable: {
    status: 503,
    title: "Unavailable",
    when: "draining, or the log takes no events; nothing was stored, try again after `Retry-After`",
  },
  "authentication-unavailable": {
    status: 503,
    title: "Authentication unavailable",
    when: "the token cannot be checked just now; try again after `Retry-After`",
  },
  "log-full": { status: 507, title: "Log full", when: "the disk or the log's space is used up; nothing was stored" },
} as const satisfies Record<string, ProblemType>;

export type ProblemName = keyof typeof problemTypes;

/** The `type` of a problem: an identifier to compare, not an address to fetch. */
export function problemTypeUri(name: ProblemName): string {
  return `urn:sluice:problem:${name}`;
}
