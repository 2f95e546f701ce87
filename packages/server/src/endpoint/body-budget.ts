// How many bytes of bodies are held at once, for publishers who may all be slow: none of them keeps the others out.
import { ByteBudget } from "@sluice/runtime";

/** What one user takes of it. */
export type UserBudget = Pick<ByteBudget, "take" | "giveBack">;

/** The last goes to those who hold little: four slow bodies of 16 MiB would else be all there is, for a minute. */
const reservedPart = 1 / 4;

/** A byte budget over all users. */
export class BodyBudget {
  readonly #total: ByteBudget;
  readonly #bytesMax: number;
  readonly #reserved: number;
  readonly #held = new Map<string, number>();

  /**
   * @param bytesMax never passed, except by what is taken alone
   * @param bodyBytesMax one body of this size fits beside what is reserved, so nothing is reserved of so few
   */
  constructor(bytesMax: number, bodyBytesMax: number) {
    this.#bytesMax = Math.max(bytesMax, bodyBytesMax);
    this.#reserved = Math.min(Math.floor(this.#bytesMax * reservedPart), this.#bytesMax - bodyBytesMax);
    this.#total = new ByteBudget(this.#bytesMax);
  }

  /** The budget as it is for one user. */
  of(userId: string): UserBudget {
    return {
      take: (bytes) => this.hasRoomFor(userId, bytes) && this.#take(userId, bytes),
      giveBack: (bytes) => this.#giveBack(userId, bytes),
    };
  }

  /** Whether a user would be let take `bytes` now. */
  hasRoomFor(userId: string, bytes: number): boolean {
    if (this.#total.bytes + bytes <= this.#bytesMax - this.#reserved) return true;
    if (!this.#total.hasRoomFor(bytes)) return false;
    const held = this.#held.get(userId) ?? 0;
    return this.#total.bytes === 0 || held + bytes <= this.#reserved;
  }

  #take(userId: string, bytes: number): boolean {
    if (!this.#total.take(bytes)) return false;
    this.#held.set(userId, (this.#held.get(userId) ?? 0) + bytes);
    return true;
  }

  #giveBack(userId: string, bytes: number): void {
    this.#total.giveBack(bytes);
    const left = (this.#held.get(userId) ?? 0) - bytes;
    if (left > 0) this.#held.set(userId, left);
    else this.#held.delete(userId);
  }
}
