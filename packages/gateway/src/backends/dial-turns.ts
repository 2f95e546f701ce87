// How many handshakes a backend has to deal with at once: the others wait in order. A backend that thousands come back to
// then finishes some all the time, in place of beginning all and finishing none.

/** Somebody's turn, from asking for it until it is given back. */
export interface DialTurn {
  /** Whether it had to be waited for. */
  readonly hasWaited: boolean;
  /** Resolves when it has come. */
  readonly come: Promise<"come">;
  /** Gives it back, or gives up waiting for it; a second call does nothing. */
  end(): void;
}

class Turn implements DialTurn {
  readonly come: Promise<"come">;
  readonly hasWaited: boolean;
  readonly #onEnd: (turn: Turn) => void;
  #begin: ((come: "come") => void) | undefined;
  #isOver = false;

  constructor(hasToWait: boolean, onEnd: (turn: Turn) => void) {
    this.hasWaited = hasToWait;
    this.#onEnd = onEnd;
    this.come = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  begin(): void {
    this.#begin?.("come");
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd(this);
  }
}

/** Hands out turns. Who may wait is bounded by the places of the door, and how long by each one's own deadline. */
export class DialTurns {
  /** Those that have theirs. */
  #underWay = 0;
  /** In order; a set, as whoever gives up may stand anywhere in it. */
  readonly #waiting = new Set<Turn>();

  get underWay(): number {
    return this.#underWay;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** A turn, at once where fewer than `max` are under way. */
  take(max: number): DialTurn {
    const hasToWait = this.#underWay >= max;
    const turn = new Turn(hasToWait, (ended) => this.#end(ended, max));
    if (hasToWait) this.#waiting.add(turn);
    else this.#start(turn);
    return turn;
  }

  #start(turn: Turn): void {
    this.#underWay += 1;
    turn.begin();
  }

  #end(turn: Turn, max: number): void {
    if (this.#waiting.delete(turn)) return;
    this.#underWay -= 1;
    for (const next of this.#waiting) {
      if (this.#underWay >= max) return;
      this.#waiting.delete(next);
      this.#start(next);
    }
  }
}
