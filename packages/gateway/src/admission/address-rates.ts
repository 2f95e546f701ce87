// How often each address may shake hands, in a table that never grows past its bound.
import { type Clock, TokenBucket, type TokenBucketOptions } from "@sluice/runtime";

/** Addresses that are remembered; the one not heard of for longest is forgotten first, and then begins anew. */
const addressesMaxDefault = 20_000;

export class AddressRates {
  #options: TokenBucketOptions;
  readonly #clock: Clock;
  readonly #addressesMax: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(options: TokenBucketOptions & { readonly clock: Clock; readonly addressesMax?: number }) {
    this.#options = options;
    this.#clock = options.clock;
    this.#addressesMax = options.addressesMax ?? addressesMaxDefault;
  }

  /** From now on these: every address begins anew. */
  setRate(options: TokenBucketOptions): void {
    this.#options = options;
    this.#buckets.clear();
  }

  /** Addresses remembered now. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one of the address's tokens; false when it has none. */
  take(address: string): boolean {
    const now = this.#clock.now();
    const bucket = this.#buckets.get(address) ?? new TokenBucket(this.#options, now);
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > this.#addressesMax) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return bucket.take(now);
  }
}
