// The codes an `error` frame can carry (protocol §7). The connection lives on after each.

export const errorCodes = {
  INVALID_MESSAGE: "not JSON, not an object, or a field is missing or malformed",
  UNKNOWN_MESSAGE_TYPE: "`type` is none that the server knows",
  INVALID_SUBSCRIPTION: "an event name, pattern, cluster, `since` or `epoch` is not allowed by the grammar",
  SUBSCRIPTION_LIMIT: "the command would pass `subscriptions.max_per_connection`; nothing was changed",
  FORBIDDEN: "the token does not allow what was asked for; nothing was changed",
  RATE_LIMITED: "more commands than `limits.commands_per_second`; the command was not carried out",
  AUTH_FAILED: "the token of a `refresh` was refused; the old one stays in force",
  INTERNAL_ERROR: "a fault of ours; the command may not have been carried out",
} as const;

export type ErrorCode = keyof typeof errorCodes;
