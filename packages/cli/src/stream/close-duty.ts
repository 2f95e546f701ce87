// What a client owes after a close (protocol.md §7), from the one table.
import { closes, type CloseDuty, type CloseEntry } from "@sluice/protocol";

const entries: readonly CloseEntry[] = Object.values(closes);

/**
 * The duty of a close. Codes that the table doesn't hold come from something in between (1001, 1005, 1006) or are a
 * heartbeat code of the operator's own (`heartbeat.close_code`): both mean to come back.
 */
export function dutyOf(code: number, reason: string): CloseDuty {
  const sameCode = entries.filter((entry) => entry.code === code);
  const entry = sameCode.find((candidate) => candidate.reason === reason) ?? sameCode.at(-1);
  return entry?.duty ?? "reconnect";
}

/** A close in words: `the server closed the connection: Revoked (4403)`. */
export function describeClose(code: number, reason: string): string {
  if (code === 1005 || code === 1006) return "the connection was lost";
  const known = entries.find((entry) => entry.code === code)?.reason;
  const words = printable(reason) || known;
  return words === undefined
    ? `the server closed the connection (${code})`
    : `the server closed the connection: ${words} (${code})`;
}

/** A reason is the peer's text; nothing in it may steer a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "").trim();
}
