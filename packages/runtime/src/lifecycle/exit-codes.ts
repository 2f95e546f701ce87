// What processes of ours exit with, after BSD's sysexits.h and the shells' 128 + signal.
import { constants } from "node:os";

/** Exit codes of a service. */
export const serviceExitCodes = {
  /** Ended as asked. */
  ok: 0,
  /** Started with arguments that are wrong (EX_USAGE). */
  usage: 64,
  /** A fault of ours (EX_SOFTWARE). */
  internal: 70,
  /** Not now, but a later start may do: a locked log, a port that is taken (EX_TEMPFAIL). */
  temporary: 75,
  /** The configuration is wrong (EX_CONFIG). */
  config: 78,
} as const;

/** Signals that ask a process to end. */
export type EndSignal = "SIGTERM" | "SIGINT" | "SIGHUP";

/** What a process exits with when a signal ended it at once: 143 for SIGTERM, 130 for SIGINT, 129 for SIGHUP. */
export function signalExitCode(signal: EndSignal): number {
  const shellBase = 128;
  return shellBase + constants.signals[signal];
}
