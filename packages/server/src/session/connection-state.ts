// What the heartbeat knows of one connection: the seed's ConnectionState.

/** All times are monotonic ms of the manager's clock; null where it has not happened. */
export interface ConnectionState {
  readonly connectionId: string;
  readonly userId: string;
  readonly connectedAtMs: number;
  readonly lastPingSentMs: number | null;
  readonly lastPongReceivedMs: number | null;
  /** Pongs missed in a row. */
  readonly missedPongs: number;
  /** False once `max_missed` was reached, or the connection has gone. */
  readonly isAlive: boolean;
}
