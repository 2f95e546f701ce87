// The issuer's keys, kept fresh: one fetch at a time, a cool-down between fetches, and known keys for a bounded while
// when the issuer is down.
import type { CryptoKey, JWTHeaderParameters } from "jose";
import type { Clock } from "../clock.js";
import { parseKeySet, type KeySet } from "./key-set.js";
import type { KeySource } from "./key-source.js";

/** How a {@link JwksCache} behaves; times in ms on the monotonic clock. */
export interface JwksCacheOptions {
  readonly source: KeySource;
  readonly clock: Clock;
  /** From the start of a fetch to the next (`auth.jwks_cooldown_ms`). */
  readonly cooldownMs: number;
  /** Keys this old are used only when they can't be fetched anew (`auth.jwks_max_age_ms`). */
  readonly maxAgeMs: number;
  /** How long past `maxAgeMs` they are used then (`auth.jwks_stale_ms`). */
  readonly staleMs: number;
  /** Told why a fetch failed, in a sentence for an operator; at most once per fetch. */
  readonly onTrouble?: (trouble: string) => void;
}

/** Keys that fit a token; `version` names the key set they are from. */
export type KeyLookup =
  | { readonly kind: "found"; readonly keys: readonly CryptoKey[]; readonly version: number }
  | { readonly kind: "unknown" }
  | { readonly kind: "unavailable"; readonly retryAfterMs: number };

interface Held {
  readonly keys: KeySet;
  readonly text: string;
  readonly version: number;
  readonly fetchedAt: number;
}

/** Share of the maximal age after which keys in use are fetched anew in the background. */
const refreshAheadRatio = 0.8;
const retryAfterMsMin = 1_000;

/** The published keys of one issuer. Fetches nothing before the first question. */
export class JwksCache {
  readonly #options: JwksCacheOptions;
  readonly #closing = new AbortController();
  #held: Held | undefined;
  #inFlight: Promise<void> | undefined;
  #lastStart = -Infinity;
  #lastFailed = false;

  constructor(options: JwksCacheOptions) {
    this.#options = options;
  }

  /**
   * The keys that may have signed a token with this header. When none fits, the set is fetched anew once per cool-down;
   * with `unavailable` the issuer could not be asked, so nobody knows.
   */
  async find(header: JWTHeaderParameters): Promise<KeyLookup> {
    await this.#freshen();
    const known = await this.#lookUp(header);
    return known ?? (await this.findNewer(header, this.#usable()?.version));
  }

  /** As {@link find}, but only from a set that is newer than `version`. */
  async findNewer(header: JWTHeaderParameters, version: number | undefined): Promise<KeyLookup> {
    if (this.#usable()?.version === version) await this.#refresh();
    const held = this.#usable();
    const newer = held === undefined || held.version === version ? undefined : await this.#lookUp(header);
    if (newer !== undefined) return newer;
    return held === undefined || this.#lastFailed ? this.#unavailable() : { kind: "unknown" };
  }

  /** Whether what was verified with keys of `version` would verify now, without asking the issuer. */
  isCurrent(version: number): boolean {
    return this.#held?.version === version && this.#age(this.#held) <= this.#options.maxAgeMs * refreshAheadRatio;
  }

  /** Ends a fetch under way; what waits for it is told `unavailable`. */
  close(): void {
    this.#closing.abort();
  }

  /** Waits for new keys only where there are none to use: a slow issuer must not slow callers with known keys. */
  async #freshen(): Promise<void> {
    const held = this.#usable();
    if (held === undefined) return this.#refresh();
    const age = this.#age(held);
    if (age > this.#options.maxAgeMs && !this.#lastFailed) return this.#refresh();
    if (age > this.#options.maxAgeMs * refreshAheadRatio) void this.#refresh();
  }

  async #lookUp(header: JWTHeaderParameters): Promise<KeyLookup | undefined> {
    const held = this.#usable();
    if (held === undefined) return undefined;
    const keys = await held.keys(header);
    return keys.length === 0 ? undefined : { kind: "found", keys, version: held.version };
  }

  /** Joins the fetch under way, or starts one when the cool-down is over. Never rejects. */
  #refresh(): Promise<void> {
    if (this.#inFlight !== undefined) return this.#inFlight;
    if (this.#closing.signal.aborted || this.#coolDownLeftMs() > 0) return Promise.resolve();
    this.#lastStart = this.#options.clock.now();
    this.#inFlight = this.#fetch().finally(() => (this.#inFlight = undefined));
    return this.#inFlight;
  }

  async #fetch(): Promise<void> {
    const answer = await this.#options.source(this.#closing.signal);
    const keys = answer.ok ? parseKeySet(answer.text) : undefined;
    this.#lastFailed = keys === undefined;
    if (answer.ok && keys !== undefined) {
      const fetchedAt = this.#options.clock.now();
      const same = this.#held?.text === answer.text ? this.#held : undefined;
      const version = (this.#held?.version ?? 0) + 1;
      this.#held = same === undefined ? { keys, text: answer.text, version, fetchedAt } : { ...same, fetchedAt };
    } else if (!this.#closing.signal.aborted) {
      this.#options.onTrouble?.(answer.ok ? "the key set that was fetched is none" : answer.trouble);
    }
  }

  /** The keys at hand, as long as they may be used at all. */
  #usable(): Held | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    return this.#age(held) <= this.#options.maxAgeMs + this.#options.staleMs ? held : undefined;
  }

  #age(held: Held): number {
    return this.#options.clock.now() - held.fetchedAt;
  }

  #coolDownLeftMs(): number {
    return this.#lastStart + this.#options.cooldownMs - this.#options.clock.now();
  }

  #unavailable(): KeyLookup {
    return { kind: "unavailable", retryAfterMs: Math.max(this.#coolDownLeftMs(), retryAfterMsMin) };
  }
}
