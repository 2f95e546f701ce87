// The connections of this process: who is there, from where, and how many more there may be.

import { ConnectionCounts, type CountChange, type Elsewhere } from "../nodes/connection-counts.js";
import type { Session } from "../session/session.js";

export interface ConnectionLimits {
  /** `limits.connections`, handshakes under way included. */
  readonly total: number;
  /** `limits.connections_per_user`; 0 = unlimited. */
  readonly perUser: number;
  /** `limits.connections_per_address`; 0 = unlimited. */
  readonly perAddress: number;
}

/** One living connection. */
export interface Connection {
  readonly id: string;
  readonly userId: string;
  readonly remoteAddress: string;
  /** Wall-clock ms. */
  readonly connectedAtMs: number;
  readonly session: Session;
}

/** A place held for a connection from the first byte of its handshake until it has gone. */
export interface Place {
  /** Takes the user's share too; false when the user has no more. */
  claimFor(userId: string): boolean;
  register(connection: Connection): void;
  /** Gives everything back; a second call does nothing. */
  release(): void;
}

const nowhereElse: Elsewhere = { counts: new ConnectionCounts(), onChange: () => {} };

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #elsewhere: Elsewhere;
  readonly #byId = new Map<string, Connection>();
  readonly #counts = new ConnectionCounts();

  constructor(limits: ConnectionLimits, elsewhere: Elsewhere = nowhereElse) {
    this.#limits = limits;
    this.#elsewhere = elsewhere;
  }

  #count(of: CountChange["of"], key: string): number {
    return this.#counts.get(of, key) + this.#elsewhere.counts.get(of, key);
  }

  #add(of: CountChange["of"], key: string, change: 1 | -1): void {
    this.#counts.add({ of, key, change });
    this.#elsewhere.onChange({ of, key, change });
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#byId.values();
  }

  ofUser(userId: string): Connection[] {
    return [...this.#byId.values()].filter((connection) => connection.userId === userId);
  }

  /** A place for one more, before its token is looked at; undefined over capacity. */
  take(remoteAddress: string): Place | undefined {
    const { total, perAddress, perUser } = this.#limits;
    if (this.#counts.total + this.#elsewhere.counts.total >= total) return undefined;
    if (perAddress > 0 && this.#count("address", remoteAddress) >= perAddress) return undefined;
    this.#add("address", remoteAddress, 1);
    let user: string | undefined;
    let id: string | undefined;
    let isReleased = false;
    return {
      claimFor: (userId) => {
        if (perUser > 0 && this.#count("user", userId) >= perUser) return false;
        this.#add("user", userId, 1);
        user = userId;
        return true;
      },
      register: (connection) => {
        id = connection.id;
        this.#byId.set(connection.id, connection);
      },
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#add("address", remoteAddress, -1);
        if (user !== undefined) this.#add("user", user, -1);
        if (id !== undefined) this.#byId.delete(id);
      },
    };
  }
}
