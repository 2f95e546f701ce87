import { describe, expect, it } from "vitest";
import { authFailure } from "./auth-failures.js";
import type { Identity } from "./identity.js";
import { allRights } from "./rights.js";
import { TicketStore } from "./tickets.js";

const ttlMs = 30_000;
const identity = (userId = "alice", expiresAtMs = 9_000_000): Identity => ({ userId, expiresAtMs, rights: allRights });

function store(bounds: { ticketsMax?: number; ticketsPerUserMax?: number } = {}) {
  const time = { now: 1_000, wall: 5_000_000 };
  const clock = { now: () => time.now, wall: () => time.wall };
  return { time, tickets: new TicketStore({ ttlMs, clock, ...bounds }) };
}

function issued(tickets: TicketStore, of = identity()): string {
  const outcome = tickets.issue(of);
  if (!outcome.ok) throw new Error(outcome.reason);
  return outcome.ticket;
}

describe("TicketStore", () => {
  it("gives 256 random bits, good for the whole identity, once", () => {
    const { tickets } = store();
    const outcome = tickets.issue(identity());
    expect(outcome).toEqual({
      ok: true,
      ticket: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) as unknown,
      expiresInMs: ttlMs,
    });
    const ticket = outcome.ok ? outcome.ticket : "";
    expect(tickets.redeem(ticket)).toEqual({ ok: true, identity: identity() });
    expect(tickets.redeem(ticket)).toEqual(authFailure("ticket_unknown"));
  });

  it("never gives the same ticket twice", () => {
    const { tickets } = store();
    expect(new Set(Array.from({ length: 100 }, () => issued(tickets))).size).toBe(100);
  });

  it("refuses what it never gave", () => {
    expect(store().tickets.redeem("")).toEqual(authFailure("ticket_unknown"));
    expect(store().tickets.redeem("__proto__")).toEqual(authFailure("ticket_unknown"));
  });

  it("forgets a ticket when its time is over, not before, whatever the wall clock does", () => {
    const { tickets, time } = store();
    const [early, late] = [issued(tickets), issued(tickets)];
    time.wall -= 3_600_000;
    time.now += ttlMs - 1;
    expect(tickets.redeem(early).ok).toBe(true);
    time.now += 1;
    expect(tickets.redeem(late)).toEqual(authFailure("ticket_unknown"));
    expect(tickets.size).toBe(0);
  });

  it("is void with the token that it was given for", () => {
    const { tickets, time } = store();
    const ticket = issued(tickets, identity("alice", time.wall + 1_000));
    time.wall += 1_000;
    expect(tickets.redeem(ticket)).toEqual(authFailure("expired"));
  });

  it("refuses a user beyond their share, and nobody else", () => {
    const { tickets, time } = store({ ticketsPerUserMax: 2 });
    const first = issued(tickets);
    issued(tickets);
    expect(tickets.issue(identity())).toEqual({ ok: false, reason: "too_many_tickets", retryAfterMs: ttlMs });
    expect(tickets.issue(identity("bob")).ok).toBe(true);
    expect(tickets.redeem(first).ok).toBe(true);
    expect(tickets.issue(identity()).ok).toBe(true);
    expect(tickets.issue(identity()).ok).toBe(false);
    time.now += ttlMs;
    expect(tickets.issue(identity()).ok).toBe(true);
  });

  it("refuses everybody when full, and keeps what it gave", () => {
    const { tickets, time } = store({ ticketsMax: 3 });
    const given = ["a", "b", "c"].map((user) => issued(tickets, identity(user)));
    expect(tickets.issue(identity("d")).ok).toBe(false);
    expect(tickets.size).toBe(3);
    for (const ticket of given) expect(tickets.redeem(ticket).ok).toBe(true);
    expect(tickets.issue(identity("d")).ok).toBe(true);
    time.now += ttlMs;
    expect(tickets.issue(identity("e")).ok).toBe(true);
    expect(tickets.size).toBe(1);
  });
});
