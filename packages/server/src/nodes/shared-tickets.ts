// Tickets of a service of many nodes: issued at any of them, good at any of them, once. Each waits in a stream in the
// servers' memory, under its digest, which opens nothing; who uses it up is whoever's mark JetStream takes first.
import { hash } from "node:crypto";
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { authFailure, TicketStore, type AuthOutcome, type Clock, type Identity } from "@sluice/runtime";
import { apiErrors, askJetStream, JetStreamApiError, parseReply, retry, toNs } from "../log/jetstream/jetstream-api.js";
import { findStream } from "../log/jetstream/open-stream.js";

/** How long a ticket is waited for, ms; a handshake takes no longer than 5 s. */
const answerMs = 3000;
/** When to try again while JetStream does not answer, ms. */
const retryAfterMs = 1000;
const streamBytesMax = 64 * 1024 * 1024;
const ageMsMin = 100;

/** What asking for a ticket comes to; `unavailable` where it could not be given to the other nodes. */
export type SharedTicketOutcome =
  | { readonly ok: true; readonly ticket: string; readonly expiresInMs: number }
  | { readonly ok: false; readonly reason: "too_many_tickets" | "unavailable"; readonly retryAfterMs: number };

/** Gives out tickets and takes them back. */
export interface Tickets {
  issue(identity: Identity): SharedTicketOutcome | Promise<SharedTicketOutcome>;
  redeem(ticket: string): AuthOutcome | Promise<AuthOutcome>;
}

export interface SharedTicketsOptions {
  readonly nats: NatsConnection;
  /** `nats.stream`; the tickets' own has `_TICKETS` after it. */
  readonly stream: string;
  /** `nats.prefix`. */
  readonly prefix: string;
  /** `nats.replicas`. */
  readonly replicas: number;
  /** `auth.ticket_ttl_ms`. */
  readonly ttlMs: number;
  readonly clock: Clock;
}

interface Held {
  readonly identity: Identity;
  /** Wall-clock ms; the stream's own age is only what tidies up. */
  readonly expiresAtMs: number;
}

/** Tickets in a stream. Each node bounds how many it gives out, as {@link TicketStore} does. */
export class SharedTickets implements Tickets {
  readonly #options: SharedTicketsOptions;
  readonly #stream: string;
  /** Makes and counts what this node gives out. */
  readonly #given: TicketStore;

  private constructor(options: SharedTicketsOptions) {
    this.#options = options;
    this.#stream = `${options.stream}_TICKETS`;
    this.#given = new TicketStore({ ttlMs: options.ttlMs, clock: options.clock });
  }

  /** Makes the stream where it is missing. @throws {JetStreamApiError}, or the client's errors where nobody answers. */
  static async open(options: SharedTicketsOptions): Promise<SharedTickets> {
    const tickets = new SharedTickets(options);
    const { nats, prefix, replicas, ttlMs } = options;
    const config = {
      name: tickets.#stream,
      description: "Unused tickets of Sluice",
      subjects: [`${prefix}.tickets.*`],
      storage: "memory",
      retention: "limits",
      discard: "old",
      num_replicas: replicas,
      max_age: toNs(Math.max(ageMsMin, ttlMs)),
      max_bytes: streamBytesMax,
      max_msgs_per_subject: 1,
      duplicate_window: toNs(Math.max(ageMsMin, ttlMs)),
    };
    await retry(async () => {
      const found = await findStream(nats, config.name);
      if (found === undefined) await askJetStream(nats, `STREAM.CREATE.${config.name}`, config, answerMs);
    });
    return tickets;
  }

  async issue(identity: Identity): Promise<SharedTicketOutcome> {
    const given = this.#given.issue(identity);
    if (!given.ok) return given;
    const { clock, ttlMs, nats } = this.#options;
    const held: Held = { identity, expiresAtMs: clock.wall() + ttlMs };
    try {
      const answer = await nats.request(this.#subject(given.ticket), JSON.stringify(held), { timeout: answerMs });
      parseReply(answer.string());
      return given;
    } catch {
      return { ok: false, reason: "unavailable", retryAfterMs };
    }
  }

  /** Whoever the ticket was issued to, at whichever node; it is void afterwards, at all of them. */
  async redeem(ticket: string): Promise<AuthOutcome> {
    try {
      const found = await this.#find(ticket);
      if (found === undefined || !(await this.#useUp(ticket, found.seq))) return authFailure("ticket_unknown");
      const { identity, expiresAtMs } = found.held;
      const now = this.#options.clock.wall();
      if (expiresAtMs <= now) return authFailure("ticket_unknown");
      return identity.expiresAtMs <= now ? authFailure("expired") : { ok: true, identity };
    } catch {
      return authFailure("issuer_unavailable", retryAfterMs);
    }
  }

  async #find(ticket: string): Promise<{ readonly held: Held; readonly seq: number } | undefined> {
    const { nats } = this.#options;
    try {
      const { message } = await askJetStream<{ readonly message: { readonly seq: number; readonly data?: string } }>(
        nats,
        `STREAM.MSG.GET.${this.#stream}`,
        { last_by_subj: this.#subject(ticket) },
        answerMs,
      );
      if (message.data === undefined || message.data === "") return undefined;
      return { held: JSON.parse(Buffer.from(message.data, "base64").toString("utf8")) as Held, seq: message.seq };
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === apiErrors.messageNotFound) return undefined;
      throw error;
    }
  }

  /** Puts an empty message in the ticket's place; only one caller finds it still there. */
  async #useUp(ticket: string, seq: number): Promise<boolean> {
    const expected = headers();
    expected.set("Nats-Expected-Last-Subject-Sequence", `${seq}`);
    const { nats } = this.#options;
    const answer = await nats.request(this.#subject(ticket), undefined, { timeout: answerMs, headers: expected });
    try {
      parseReply(answer.string());
      return true;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === apiErrors.wrongLastSequence) return false;
      throw error;
    }
  }

  #subject(ticket: string): string {
    return `${this.#options.prefix}.tickets.${hash("sha256", ticket, "hex")}`;
  }
}
