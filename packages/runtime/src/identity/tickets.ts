// One-time tickets (protocol §1, §8): a caller with a token gets a short word that is safe in a URL.
import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.js";
import { authFailure, type AuthFailure } from "./auth-failures.js";
import type { Identity } from "./identity.js";
import { digestToken } from "./token-digest.js";

/** Bounds of a {@link TicketStore}. */
export interface TicketStoreOptions {
  /** How long a ticket is good, ms (`auth.ticket_ttl_ms`). */
  readonly ttlMs: number;
  readonly clock: Clock;
  /** Most unused tickets in all; default 50,000 (about 20 MB). */
  readonly ticketsMax?: number;
  /** Most unused tickets of one user, so that nobody can use up the store; default 1,000. */
  readonly ticketsPerUserMax?: number;
}

/** What asking for a ticket comes to. When full nothing is displaced: a ticket given out stays good. */
export type TicketOutcome =
  | { readonly ok: true; readonly ticket: string; readonly expiresInMs: number }
  | { readonly ok: false; readonly reason: "too_many_tickets"; readonly retryAfterMs: number };

interface Held<Bearer> {
  readonly identity: Bearer;
  readonly expiresAt: number;
}

const ticketBytes = 32;
const ticketsMaxDefault = 50_000;
const ticketsPerUserMaxDefault = 1_000;

/**
 * Tickets given out and not yet used, in this process's memory: a ticket is good only where it was issued. What is known
 * of its bearer beside the identity is held with it.
 */
export class TicketStore<Bearer extends Identity = Identity> {
  readonly #options: Required<TicketStoreOptions>;
  /** By digest, which opens nothing; oldest first: all have the same time to live, so the oldest expires first. */
  readonly #held = new Map<string, Held<Bearer>>();
  readonly #heldByUser = new Map<string, number>();

  constructor(options: TicketStoreOptions) {
    this.#options = { ticketsMax: ticketsMaxDefault, ticketsPerUserMax: ticketsPerUserMaxDefault, ...options };
  }

  /** How many unused tickets are held, expired ones included until the next call that sweeps them. */
  get size(): number {
    return this.#held.size;
  }

  /** A ticket for `identity`: 256 random bits as base64url, good once, for `ttlMs`. */
  issue(identity: Bearer): TicketOutcome {
    this.#sweep();
    const { clock, ttlMs, ticketsMax, ticketsPerUserMax } = this.#options;
    const ofUser = this.#heldByUser.get(identity.userId) ?? 0;
    if (this.#held.size >= ticketsMax || ofUser >= ticketsPerUserMax) {
      return { ok: false, reason: "too_many_tickets", retryAfterMs: ttlMs };
    }
    const ticket = randomBytes(ticketBytes).toString("base64url");
    this.#held.set(digestToken(ticket), { identity, expiresAt: clock.now() + ttlMs });
    this.#heldByUser.set(identity.userId, ofUser + 1);
    return { ok: true, ticket, expiresInMs: ttlMs };
  }

  /** Whoever the ticket was issued to; the ticket is void afterwards. `ticket_unknown`, or `expired` with its token. */
  redeem(ticket: string): { readonly ok: true; readonly identity: Bearer } | AuthFailure {
    this.#sweep();
    const key = digestToken(ticket);
    const held = this.#held.get(key);
    if (held === undefined) return authFailure("ticket_unknown");
    this.#remove(key, held);
    if (held.identity.expiresAtMs <= this.#options.clock.wall()) return authFailure("expired");
    return { ok: true, identity: held.identity };
  }

  #sweep(): void {
    const now = this.#options.clock.now();
    for (const [key, held] of this.#held) {
      if (held.expiresAt > now) return;
      this.#remove(key, held);
    }
  }

  #remove(key: string, held: Held<Bearer>): void {
    this.#held.delete(key);
    const { userId } = held.identity;
    const left = (this.#heldByUser.get(userId) ?? 1) - 1;
    if (left === 0) this.#heldByUser.delete(userId);
    else this.#heldByUser.set(userId, left);
  }
}
