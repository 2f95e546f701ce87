// What a client owes after a close, from the one table of the protocol (§7).
import { closes, type CloseDuty, type CloseEntry } from "@sluice/protocol";

const entries: readonly CloseEntry[] = Object.values(closes);

/**
 * The duty of a close. Codes that the table doesn't hold come from something in between (1001, 1005, 1006) or are a
 * heartbeat code of the operator's own (`heartbeat.close_code`): both mean to come back.
 */
export function dutyOf(code: number, reason: string): CloseDuty {
  const sameCode = entries.filter((entry) => entry.code === code);
  return (sameCode.find((entry) => entry.reason === reason) ?? sameCode.at(-1))?.duty ?? "reconnect";
}

/** A close in words: `Revoked (4403)`. */
export function describeClose(code: number, reason: string): string {
  return `${reason || "connection lost"} (${code})`;
}
