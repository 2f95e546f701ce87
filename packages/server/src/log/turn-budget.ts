// Splits long work over turns of the event loop.
import { setImmediate as nextTurn } from "node:timers/promises";

/** Lets the event loop turn whenever so much work was done since it last did. */
export class TurnBudget {
  readonly #perTurn: number;
  #left: number;

  /** @param perTurn units of work in one turn, whatever they are */
  constructor(perTurn: number) {
    this.#perTurn = perTurn;
    this.#left = perTurn;
  }

  /** Notes work done; resolves at once, or in the next turn where this turn's share is used up. */
  async spend(units: number): Promise<void> {
    this.#left -= units;
    if (this.#left > 0) return;
    await nextTurn();
    this.#left = this.#perTurn;
  }
}
