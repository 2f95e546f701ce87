// What a client chooses for its connection in the query (protocol §1).

import { isPolicy, policies, type Policy } from "@sluice/protocol";
import type { Problem } from "@sluice/runtime";

export interface ConnectionOptions {
  readonly policy: Policy;
  readonly maxMessages: number;
}

/** The options of the query, or what is wrong with them. A larger buffer than the server's is the server's. */
export function readConnectionOptions(
  query: URLSearchParams,
  defaults: ConnectionOptions,
): ConnectionOptions | Problem {
  const twice = ["policy", "max_messages"].find((name) => query.getAll(name).length > 1);
  if (twice !== undefined) return { name: "invalid-parameter", detail: `${twice} must be given once`, field: twice };
  const policy = query.get("policy") ?? defaults.policy;
  if (!isPolicy(policy)) {
    return {
      name: "invalid-parameter",
      detail: "policy must be one of those allowed",
      field: "policy",
      allowed: policies,
    };
  }
  const text = query.get("max_messages");
  if (text === null) return { policy, maxMessages: defaults.maxMessages };
  if (!/^[1-9]\d{0,15}$/.test(text)) {
    return {
      name: "invalid-parameter",
      detail: "max_messages must be an integer of at least 1",
      field: "max_messages",
    };
  }
  return { policy, maxMessages: Math.min(Number(text), defaults.maxMessages) };
}
