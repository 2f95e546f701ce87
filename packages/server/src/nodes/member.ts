// A worker: one of several processes that are one service. It has connections of its own; the log, limits, tickets and
// what operators ask are everybody's.

import { TicketStore, type AuthOutcome, type Clock, type MetricsReading } from "@sluice/runtime";
import type { AppendResult } from "../log/event-log.js";
import { FollowerLog, type FollowerLogOptions } from "../log/follower-log.js";
import { ConnectionCounts, type CountChange, type Elsewhere } from "./connection-counts.js";
import { Link, type Channel } from "./link.js";
import { ownRecords, plainDraft, type LogNews } from "./log-news.js";
import { createLocalBus, type NodeBus } from "./node-bus.js";
import type { Tickets } from "./shared-tickets.js";

/** What the worker does when the process that writes the log asks it to. */
export interface MemberOrders {
  readonly readMetrics: () => Promise<MetricsReading>;
  /** Leave gracefully, and end the process. */
  readonly drain: () => void;
}

/** A question on its way through the process that writes the log. */
export interface Forwarded {
  readonly kind: string;
  readonly question: unknown;
}

const metricsKind = "metrics";
const redeemKind = "redeem";

export class Member {
  readonly #link: Link;
  readonly #leave: () => void;
  readonly #counts = new ConnectionCounts();
  readonly #local = createLocalBus();
  #changes: CountChange[] = [];
  #log: FollowerLog | undefined;
  #orders: MemberOrders | undefined;

  /**
   * @param channel to the process that writes the log
   * @param leave ends this process, which has been drained
   */
  constructor(channel: Channel, leave: () => void) {
    this.#leave = leave;
    this.#link = new Link({
      channel,
      answer: (kind, about) => this.#answer(kind, about),
      told: (kind, about) => this.#told(kind, about),
    });
  }

  /** The log, read here and written there. Opened once; its user closes it. */
  openLog(options: Omit<FollowerLogOptions, "append">): FollowerLog {
    this.#log = new FollowerLog({
      ...options,
      append: async (drafts) => (await this.#link.ask("append", drafts.map(plainDraft))) as AppendResult,
    });
    return this.#log;
  }

  /** The way to all workers. They are one node to an operator, so they have no names. */
  get bus(): NodeBus {
    return {
      ...this.#local,
      ask: async (kind, question) => {
        const others = (await this.#askOthers(kind, question)) as (readonly unknown[])[];
        const { answers } = await this.#local.ask(kind, question);
        return { answers: [...answers, ...others.map((items) => ({ node: "", items }))], silent: [] };
      },
    };
  }

  /** Tickets that wait where they were issued, and are good everywhere, once. */
  ticketsOf(options: { readonly ttlMs: number; readonly clock: Clock }): Tickets {
    const here = new TicketStore(options);
    this.#local.answer(redeemKind, (ticket) => [here.redeem(ticket as string)]);
    return {
      issue: (identity) => here.issue(identity),
      redeem: async (ticket) => {
        const outcome = here.redeem(ticket);
        if (outcome.ok || outcome.reason !== "ticket_unknown") return outcome;
        const elsewhere = (await this.#askOthers(redeemKind, ticket)) as (readonly AuthOutcome[])[];
        return elsewhere.flat().find((other) => other.ok || other.reason !== "ticket_unknown") ?? outcome;
      },
    };
  }

  /** Others' connections, as they tell of them; ours are told once a turn of the event loop. */
  get elsewhere(): Elsewhere {
    return { counts: this.#counts, onChange: (change) => this.#tellChange(change) };
  }

  #tellChange(change: CountChange): void {
    this.#changes.push(change);
    if (this.#changes.length > 1) return;
    setImmediate(() => {
      this.#link.tell("counts", this.#changes);
      this.#changes = [];
    });
  }

  /** What all processes of the service count, the one that writes the log among them. */
  async metrics(): Promise<readonly MetricsReading[]> {
    const others = (await this.#askOthers(metricsKind, null)) as MetricsReading[];
    return this.#orders === undefined ? others : [await this.#orders.readMetrics(), ...others];
  }

  #askOthers(kind: string, question: unknown): Promise<unknown> {
    return this.#link.ask("everybody", { kind, question } satisfies Forwarded);
  }

  /** From now on the worker answers and obeys, and takes connections: it has begun to listen. */
  begin(orders: MemberOrders, urls: { readonly url: string; readonly opsUrl: string }): void {
    this.#orders = orders;
    this.#link.tell("listening", urls);
  }

  /** Ends the process when it has been drained. */
  leave(drained: Promise<void>): void {
    void drained.catch(() => {}).then(this.#leave);
  }

  async #answer(kind: string, question: unknown): Promise<unknown> {
    // One that is only just beginning has nothing to tell.
    if (this.#orders === undefined) return null;
    if (kind === metricsKind) return this.#orders.readMetrics();
    const { answers } = await this.#local.ask(kind, question);
    return answers.flatMap(({ items }) => items);
  }

  #told(kind: string, about: unknown): void {
    if (kind === "log") {
      const news = about as LogNews;
      this.#log?.advance(news.stats, ownRecords(news));
    } else if (kind === "counts") for (const change of about as readonly CountChange[]) this.#counts.add(change);
    else if (kind === "drain") this.#orders?.drain();
  }
}
