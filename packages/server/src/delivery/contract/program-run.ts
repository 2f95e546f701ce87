// Carries out a random program against real delivery and holds every consumer's stream against its oracle.
import { closes, type Policy } from "@sluice/protocol";
import type { SubscriptionSet } from "../../routing/subscription-set.js";
import type { Consumer } from "../consumer.js";
import type { Operation, Program, Since } from "./delivery-program.js";
import { DeliveryWorld, setOf, turns, until } from "./delivery-world.js";
import { ExpectedStream, type PublishedEvent, type Surroundings } from "./expected-stream.js";
import { metricsProblems, type ModelClient } from "./model-client.js";

class ProgramRun {
  readonly #world: DeliveryWorld;
  readonly #fieldBytes: number;
  readonly #published: PublishedEvent[] = [];
  readonly #violations: string[] = [];
  readonly #clients = new Map<number, ModelClient>();
  readonly #surroundings: Surroundings;
  readonly #publishing: Promise<void>[] = [];
  #commands = 0;

  constructor({ world, fieldBytes }: Program) {
    this.#world = new DeliveryWorld(world);
    this.#fieldBytes = fieldBytes;
    this.#surroundings = {
      published: this.#published,
      routedSeq: () => this.#world.delivery.routedSeq,
      oldest: () => this.#world.log.oldest,
    };
  }

  async run(operations: readonly Operation[]): Promise<void> {
    // Followers are told in the order in which they came; the oracle has to know of an event before it is delivered.
    this.#world.delivery.stop();
    this.#world.log.follow((records) => this.#published.push(...records));
    this.#world.restart();
    try {
      for (const operation of operations) {
        await this.#carryOut(operation);
        this.#check();
      }
      await this.#settle();
    } finally {
      await this.#world.close();
    }
  }

  async #carryOut(operation: Operation): Promise<void> {
    const { delivery, clock } = this.#world;
    switch (operation.kind) {
      case "publish": {
        const published = this.#world.publish(operation.events, this.#fieldBytes);
        this.#publishing.push(published);
        if (operation.waits) await published;
        return;
      }
      case "turns":
        return turns(operation.count);
      case "advance":
        clock.advance(operation.ms);
        return;
      case "restart":
        this.#restart();
        return;
      case "shut down":
        return this.#shutDown();
      case "connect":
        if (!this.#clients.has(operation.slot)) this.#connect(operation.slot, operation.policy, operation.maxMessages);
        return;
      default: {
        const client = this.#clients.get(operation.slot);
        if (client === undefined || client.consumer.isClosed) return;
        if (operation.kind === "leave") {
          delivery.remove(client.consumer);
          this.#clients.delete(operation.slot);
        } else this.#act(client, operation);
      }
    }
  }

  #act(client: ModelClient, operation: Extract<Operation, { readonly slot: number }>): void {
    const { delivery } = this.#world;
    const { consumer, sink, expected } = client;
    const isHeard = !sink.isHeld;
    switch (operation.kind) {
      case "stall":
        if (!sink.isBlocked) sink.limit(operation.room);
        return;
      case "drain":
        this.#world.drain(consumer, sink, operation.room);
        return;
      case "metrics":
        this.#measure(client);
        return;
      case "ping":
        delivery.ping(consumer, (seq) => ({ type: "ping", timestamp: "", seq }));
        return;
      case "command":
        if (!isHeard) return;
        this.#commands += 1;
        expected.sync();
        expected.replied("error", `${this.#commands}`);
        delivery.reply(consumer, { type: "error", id: `${this.#commands}`, code: "RATE_LIMITED", message: "" });
        return;
      case "subscribe":
        if (isHeard) this.#subscribe(client, operation);
        return;
      case "unsubscribe":
        if (isHeard) this.#change(client, consumer.set.without(operation.patterns), "unsubscribed");
        return;
      case "waver":
        for (const { patterns, clusters } of operation.changes) {
          if (sink.isHeld) return;
          this.#change(client, consumer.set.without(consumer.set.size > 1 ? patterns : []), "unsubscribed");
          this.#subscribe(client, { kind: "subscribe", slot: operation.slot, patterns, clusters, since: undefined });
        }
        return;
      case "crowd":
        for (const member of this.#world.crowd.slice(operation.from, operation.from + operation.count)) {
          delivery.subscribe(member, consumer.set);
        }
        return;
      case "connect":
      case "leave":
    }
  }

  #connect(slot: number, policy: Policy, maxMessages: number): ModelClient {
    const { consumer, sink } = this.#world.connect({ policy, maxMessages });
    const expected = new ExpectedStream({ policy, maxMessages, world: this.#surroundings });
    const client: ModelClient = { consumer, sink, expected, messagesDropped: 0 };
    sink.onFrame = (frame) => expected.frame(frame);
    sink.onClose = ({ code }) => {
      if (code === closes.serviceRestart.code) return;
      if (code !== closes.slowConsumer.code || policy !== "disconnect") this.#violations.push(`closed with ${code}`);
      else if (expected.waiting <= maxMessages) this.#violations.push(`closed with ${expected.waiting} waiting`);
      else if (expected.isCatchingUp) this.#violations.push("closed while it caught up");
    };
    this.#clients.set(slot, client);
    return client;
  }

  /** As a session does for `subscribe` and `unsubscribe`. */
  #change({ consumer, expected }: ModelClient, set: SubscriptionSet, type: "subscribed" | "unsubscribed"): string {
    const { delivery } = this.#world;
    this.#commands += 1;
    const id = `${this.#commands}`;
    expected.sync();
    const seq = delivery.subscribe(consumer, set);
    if (seq !== delivery.routedSeq) this.#violations.push(`subscribed from ${seq} and not ${delivery.routedSeq}`);
    expected.changed(set, type, id);
    if (type === "subscribed") delivery.reply(consumer, { type, id, events: [], clusters: [], seq });
    else delivery.reply(consumer, { type, id, events: [] });
    return id;
  }

  #subscribe(
    client: ModelClient,
    { patterns, clusters, since }: Extract<Operation, { readonly kind: "subscribe" }>,
  ): void {
    const wanted = setOf(Object.fromEntries(patterns.map((pattern) => [pattern, clusters])));
    const id = this.#change(client, client.consumer.set.with(wanted), "subscribed");
    if (since === undefined) return;
    const { log, delivery } = this.#world;
    const start = Math.max(0, log.oldest - 1);
    const from = this.#seqOf(since, client.expected);
    const isBeyond = from > log.head;
    const after = isBeyond || from === 0 ? start : from;
    const lost = { reason: "epoch", fromSeq: 0, toSeq: start, dropped: null } as const;
    client.expected.replayed(wanted, after, id);
    delivery.replay(client.consumer, wanted, after, isBeyond ? { id, lost } : { id });
  }

  #seqOf(since: Since, expected: ExpectedStream): number {
    const { head } = this.#world.log;
    if (since === "all") return 0;
    if (since === "beyond") return head + 5;
    return since === "promised" ? expected.promisedSeq : Math.max(0, head - since);
  }

  /** The process ends and begins again; clients come back and resume from what the last ping promised. */
  #restart(): void {
    this.#check();
    const before = [...this.#clients];
    this.#world.restart();
    this.#clients.clear();
    for (const [slot, { consumer, expected }] of before) {
      if (consumer.set.size === 0) continue;
      const client = this.#connect(slot, consumer.buffer.policy, consumer.buffer.maxMessages);
      const id = this.#change(client, consumer.set, "subscribed");
      client.expected.replayed(consumer.set, expected.promisedSeq, id);
      this.#world.delivery.replay(client.consumer, consumer.set, expected.promisedSeq, { id });
    }
  }

  /** A graceful end: everything accepted is written, then the goodbye, then the close. */
  async #shutDown(): Promise<void> {
    const { delivery } = this.#world;
    delivery.flushAll();
    for (const { consumer, sink, expected } of this.#clients.values()) {
      if (consumer.isClosed) continue;
      expected.sync();
      expected.replied("error", "goodbye");
      delivery.reply(consumer, { type: "error", id: "goodbye", code: "INTERNAL_ERROR", message: "" });
      this.#world.drain(consumer, sink);
    }
    await this.#reachLevel();
    for (const client of this.#clients.values()) {
      if (client.consumer.isClosed) continue;
      this.#finish(client);
      delivery.close(client.consumer, closes.serviceRestart);
      if (client.sink.closedWith?.code !== closes.serviceRestart.code) this.#violations.push("the close was not sent");
    }
    this.#clients.clear();
  }

  #measure(client: ModelClient): void {
    this.#violations.push(...metricsProblems(this.#world, client));
  }

  /** What must hold at any moment. */
  #check(): void {
    const { delivery, subscriptions, errors, maxMessages, tailBytes } = this.#world;
    const counts = new Map<string, number>();
    const count = ({ set }: Consumer): void => {
      for (const { pattern } of set) counts.set(pattern, (counts.get(pattern) ?? 0) + 1);
    };
    for (const member of this.#world.crowd) count(member);
    for (const [slot, { consumer, sink, expected }] of this.#clients) {
      this.#violations.push(...expected.violations, ...sink.misuses);
      const { buffer, isClosed, isLevel } = consumer;
      // One that is level is owed what its turn to be written has not come for.
      const isDisconnectable = buffer.policy === "disconnect" && !expected.isCatchingUp && !isClosed && !isLevel;
      if (isDisconnectable && expected.owed > consumer.buffer.maxMessages) this.#violations.push("not disconnected");
      if (consumer.isClosed) this.#clients.delete(slot);
      else count(consumer);
    }
    if (delivery.memoryBytes > tailBytes) this.#violations.push(`${delivery.memoryBytes} bytes of ${tailBytes}`);
    for (const { window, isEmpty } of subscriptions.lanes.values()) {
      if (isEmpty) this.#violations.push("a lane without members");
      if (window.end - window.start > maxMessages) this.#violations.push(`a window of ${window.end - window.start}`);
    }
    const sorted = (map: ReadonlyMap<string, number>): string =>
      [...map]
        .map(([pattern, count]) => `${pattern}=${count}`)
        .toSorted((a, b) => a.localeCompare(b))
        .join();
    if (sorted(counts) !== sorted(subscriptions.counts))
      this.#violations.push(`counts ${sorted(subscriptions.counts)}`);
    if (errors.length > 0) throw new Error("a fault was told", { cause: errors[0] });
    if (this.#violations.length > 0) throw new Error(this.#violations.slice(0, 5).join("; "));
  }

  async #reachLevel(): Promise<void> {
    const { delivery, log } = this.#world;
    const isSettled = (): boolean => {
      const isRouted = delivery.routedSeq === log.head && delivery.isFlushed;
      return isRouted && [...delivery.consumers].every((consumer) => consumer.isLevel);
    };
    if (await until(isSettled)) return;
    const states = [...delivery.consumers].map(({ isBlocked, isReading, hasReplies, pending }) => {
      return JSON.stringify({ isBlocked, isReading, hasReplies, pending });
    });
    throw new Error(`not level: routed ${delivery.routedSeq} of ${log.head}; ${states.join(" ")}`);
  }

  #finish(client: ModelClient): void {
    const { consumer, sink, expected } = client;
    expected.finish();
    this.#measure(client);
    const { messagesDropped } = client;
    if (!expected.hasUnknownGap && messagesDropped !== expected.dropped) {
      this.#violations.push(`messages_dropped ${messagesDropped}, gaps say ${expected.dropped}`);
    }
    if (sink.isHeld) this.#violations.push("commands are still held");
    if (consumer.isPaused) this.#violations.push("still paused");
    this.#world.delivery.ping(consumer, (seq) => ({ type: "ping", timestamp: "", seq }));
    if (expected.promisedSeq !== this.#world.log.head) this.#violations.push(`a level ping of ${expected.promisedSeq}`);
  }

  /** Empties every socket and waits until all is said. */
  async #settle(): Promise<void> {
    await Promise.all(this.#publishing);
    for (const { consumer, sink } of this.#clients.values()) this.#world.drain(consumer, sink);
    await this.#reachLevel();
    this.#check();
    for (const client of this.#clients.values()) this.#finish(client);
    this.#check();
    for (const { consumer } of this.#clients.values()) this.#world.delivery.remove(consumer);
    this.#clients.clear();
    this.#world.disperse();
    this.#check();
    const { lanes } = this.#world.subscriptions;
    if (lanes.size > 0) throw new Error(`${lanes.size} lanes are left`);
  }
}

/** Runs a program; rejects with what was wrong. */
export async function runProgram(program: Program): Promise<void> {
  await new ProgramRun(program).run(program.operations);
}
