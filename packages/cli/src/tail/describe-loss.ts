// Why a connection was lost, in words.
import type { Loss } from "@sluice/client";
import { describeNetworkError } from "../connection/network-error.js";

/** Codes that nobody sends: there was no close frame (RFC 6455 §7.4.1). */
const noCloseFrame = new Set([1005, 1006]);

/** `why` and the rest as the client's status has them; may hold what the peer said. */
export function describeLoss({ why, code, cause }: Loss & { readonly why: string }): string {
  if (cause !== undefined) return describeNetworkError(cause);
  if (code === undefined) return why;
  if (!noCloseFrame.has(code)) return `the server closed the connection: ${why}`;
  return why.endsWith(`(${code})`) ? "the connection was lost" : why;
}
