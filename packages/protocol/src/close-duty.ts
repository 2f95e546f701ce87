// What a client does after a close (protocol §7). Small and by itself, because every page that loads the client loads it.

/** What a client does after a close. `reconnect` always with backoff and resuming. */
export type CloseDuty = "reconnect" | "reconnect-after" | "new-token" | "stop";

/** RFC 6455 §7.4.1: a policy was violated; the only code here whose reason makes a difference. */
const policyViolation = 1008;
const authenticationFailed = "Authentication failed";

/** Every other code comes from something in between (1001, 1005, 1006), or leaves the same to do: reconnect. */
const duties: Readonly<Record<number, CloseDuty>> = {
  1002: "stop",
  1003: "stop",
  1007: "stop",
  [policyViolation]: "stop",
  1009: "stop",
  1012: "reconnect-after",
  4401: "new-token",
  4403: "stop",
};

/** The duty of a close, whoever sent it. */
export function closeDuty(code: number, reason: string): CloseDuty {
  return code === policyViolation && reason === authenticationFailed ? "new-token" : (duties[code] ?? "reconnect");
}
