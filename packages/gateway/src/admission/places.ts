// How many may be here at once: in all, from one address, of one user.

export interface PlaceLimits {
  readonly total: number;
  /** 0 = unlimited. */
  readonly perAddress: number;
  /** 0 = unlimited. */
  readonly perUser: number;
}

/** A place held from the handshake until the connection has gone. */
export interface Place {
  /** Takes the user's share too; false when the user has no more. */
  claimFor(userId: string): boolean;
  /** Gives everything back; a second call does nothing. */
  release(): void;
}

/** Why there is no place. */
export type NoPlace = "full" | "address";

class Counts {
  readonly #counts = new Map<string, number>();

  /** One more, unless there are `max` already (0 = unlimited). */
  add(key: string, max: number): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (max > 0 && count >= max) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  remove(key: string): void {
    const count = (this.#counts.get(key) ?? 1) - 1;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }
}

export class Places {
  #limits: PlaceLimits;
  readonly #byAddress = new Counts();
  readonly #byUser = new Counts();
  #taken = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** From now on these; whoever has a place keeps it. */
  setLimits(limits: PlaceLimits): void {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#taken;
  }

  /** A place for one more, before its token is looked at. */
  take(address: string): Place | NoPlace {
    const { total, perAddress, perUser } = this.#limits;
    if (this.#taken >= total) return "full";
    if (!this.#byAddress.add(address, perAddress)) return "address";
    this.#taken += 1;
    let user: string | undefined;
    let isReleased = false;
    return {
      claimFor: (userId) => {
        if (!this.#byUser.add(userId, perUser)) return false;
        user = userId;
        return true;
      },
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#taken -= 1;
        this.#byAddress.remove(address);
        if (user !== undefined) this.#byUser.remove(user);
      },
    };
  }
}
