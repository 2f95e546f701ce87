// What the process exits with, after sysexits.h (BSD), so that scripts can tell a wrong command from a lost server.
// Where the runtime has a code for services it is the same; its table is not imported, since with it comes all that a
// service needs, and `tail` starts in a third of the time without.

export const exitCodes = {
  ok: 0,
  /** Something else went wrong. */
  failure: 1,
  /** The command was given wrongly (EX_USAGE). */
  usage: 64,
  /** The events that were to be published are not right (EX_DATAERR). */
  data: 65,
  /** A file that was named can't be read (EX_NOINPUT). */
  noInput: 66,
  /** The service can't be reached, or went away for good (EX_UNAVAILABLE). */
  unavailable: 69,
  /** A fault of ours (EX_SOFTWARE). */
  software: 70,
  /** Not now, but a later try may do: a locked log, a port that is taken (EX_TEMPFAIL). */
  temporary: 75,
  /** A token is missing, refused or not allowed this (EX_NOPERM). */
  noPermission: 77,
  /** The configuration is wrong (EX_CONFIG). */
  config: 78,
  /** Ended by Ctrl-C before the work was done: 128 + SIGINT. */
  interrupted: 130,
} as const;
