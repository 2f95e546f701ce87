// What delivery needs of a connection's transport; the endpoint implements it.

import type { CloseEntry } from "@sluice/protocol";

export interface Sink {
  /**
   * Hands whole frames to the transport, in order; the bytes are shared and must not be changed while it `holdsBytes`.
   * False when the transport has not taken them all: it is then left alone until it reports that it has drained.
   */
  write(bytes: Buffer): boolean;
  /** Some of what was written is still in this process; otherwise the kernel has it, and its memory may be used again. */
  readonly holdsBytes: boolean;
  /** Ends the connection after what was written. */
  close(entry: CloseEntry): void;
  /** Stops or resumes the reading of commands: a client that doesn't take its replies is not listened to. */
  holdCommands(hold: boolean): void;
}
