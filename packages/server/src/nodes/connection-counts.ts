// How many connections the other workers have, by address and by user, so that limits hold for all of them together.

/** A change of one count. */
export interface CountChange {
  readonly of: "address" | "user";
  readonly key: string;
  readonly change: number;
}

/** Counts of connections by address and by user. */
export class ConnectionCounts {
  readonly #counts = { address: new Map<string, number>(), user: new Map<string, number>() };
  #total = 0;

  /** Connections, handshakes under way included. */
  get total(): number {
    return this.#total;
  }

  get(of: CountChange["of"], key: string): number {
    return this.#counts[of].get(key) ?? 0;
  }

  add({ of, key, change }: CountChange): void {
    const counts = this.#counts[of];
    const count = (counts.get(key) ?? 0) + change;
    if (count === 0) counts.delete(key);
    else counts.set(key, count);
    if (of === "address") this.#total += change;
  }

  /** What takes all of it away again. */
  undoing(): CountChange[] {
    const undo = (of: CountChange["of"]): CountChange[] =>
      [...this.#counts[of]].map(([key, count]) => ({ of, key, change: -count }));
    return [...undo("address"), ...undo("user")];
  }
}

/** The other processes of the service, whose connections count for the limits too. */
export interface Elsewhere {
  /** Theirs, as far as is known here. */
  readonly counts: ConnectionCounts;
  /** Told of every change here. */
  readonly onChange: (change: CountChange) => void;
}
