// One connection's place in the heartbeat.
import type { ConnectionState } from "./connection-state.js";

/** What the heartbeat does to a connection. Both of the first return at once. */
export interface HeartbeatPort {
  sendPing(): void;
  /** `max_missed` pongs in a row were missed. */
  timeOut(): void;
  /**
   * Grows as a socket that couldn't take a ping at once takes other bytes; undefined when the ping went straight out.
   * A peer that reads slowly has the ping still ahead of it, and is not a dead one.
   */
  backlogProgress(): number | undefined;
}

/** Stands for a time that has not come; times are never negative. */
const never = -1;

/**
 * The one object that there is of a connection, so that a ping and its pong touch little and leave nothing behind. Times are
 * whole: V8 keeps those in the object itself, and one with a fraction in memory of its own.
 */
export class Beat implements ConnectionState {
  /** When the next ping is due, whole ms as all times here. */
  atMs: number;
  pingedAtMs = never;
  pongedAtMs = never;
  missedPongs = 0;
  isAlive = true;
  readonly connectionId: string;
  readonly userId: string;
  readonly connectedAtMs: number;
  readonly port: HeartbeatPort;

  constructor(
    { connectionId, userId, connectedAtMs }: Pick<ConnectionState, "connectionId" | "userId" | "connectedAtMs">,
    port: HeartbeatPort,
    firstPingAtMs: number,
  ) {
    this.connectionId = connectionId;
    this.userId = userId;
    this.connectedAtMs = connectedAtMs;
    this.port = port;
    this.atMs = firstPingAtMs;
  }

  get lastPingSentMs(): number | null {
    return this.pingedAtMs === never ? null : this.pingedAtMs;
  }

  get lastPongReceivedMs(): number | null {
    return this.pongedAtMs === never ? null : this.pongedAtMs;
  }
}
