// Questions between nodes over NATS: on `<prefix>.nodes.ask.<kind>`, with presence on `<prefix>.nodes.here`, so that who
// asks knows whose answer is missing. Whoever may publish there may end connections: it is for nodes alone.
import { randomUUID } from "node:crypto";
import { createInbox, type Msg, type NatsConnection } from "@nats-io/transport-node";
import type { AnswerQuestion, NodeAnswer, NodeAnswers, NodeBus } from "./node-bus.js";

/** How often a node says that it is there, ms. */
const presenceMs = 1000;
/** A node that has said nothing for this long is not waited for, ms. */
const goneMs = 3500;
/** Longest wait for answers, ms. */
const answerMs = 1000;
/** Bytes of one message of an answer, about; far below the server's `max_payload`. */
const partBytes = 128 * 1024;
const nodesMax = 1024;

interface Presence {
  readonly node: string;
  readonly instance: string;
}

interface Peer {
  readonly node: string;
  seenAtMs: number;
}

interface Part extends Presence {
  readonly items: readonly unknown[];
  readonly isLast: boolean;
}

export interface NatsNodeBusOptions {
  readonly nats: NatsConnection;
  /** `nats.prefix`. */
  readonly prefix: string;
  /** `nats.node`. */
  readonly node: string;
  readonly now: () => number;
  /** Told of a node that has the same name as this one: their connections can't be told apart. */
  readonly onNamesake: (node: string) => void;
}

/** The nodes that share a NATS cluster and a prefix. */
export class NatsNodeBus implements NodeBus {
  readonly node: string;
  readonly #options: NatsNodeBusOptions;
  readonly #instance = randomUUID();
  readonly #answers = new Map<string, AnswerQuestion>();
  readonly #peers = new Map<string, Peer>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: NatsNodeBusOptions) {
    const { nats, prefix } = options;
    this.#options = options;
    this.node = options.node;
    const listen = (subject: string, take: (message: Msg) => void): void => {
      const callback = (error: Error | null, message: Msg): void => {
        if (error === null) take(message);
      };
      nats.subscribe(`${prefix}.nodes.${subject}`, { callback });
    };
    listen("ask.*", (message) => void this.#asked(message));
    listen("here", (message) => this.#met(message));
    listen("gone", (message) => this.#parted(message));
    this.#timer = setInterval(() => this.#sayHere(), presenceMs);
    this.#timer.unref();
    this.#sayHere();
  }

  answer(kind: string, answer: AnswerQuestion): void {
    this.#answers.set(kind, answer);
  }

  async ask(kind: string, question: unknown): Promise<NodeAnswers<unknown>> {
    const { nats, prefix } = this.#options;
    const ours = this.#answers.get(kind)?.(question);
    const items = new Map<string, unknown[]>();
    const waited = this.#present();
    if (waited.size > 0) {
      const inbox = createInbox();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, answerMs);
        const subscription = nats.subscribe(inbox, {
          callback: (error, message) => {
            if (error !== null || message.headers?.code !== undefined) return;
            const part = message.json<Part>();
            const sofar = items.get(part.instance) ?? [];
            items.set(part.instance, [...sofar, ...part.items]);
            if (part.isLast) waited.delete(part.instance);
            if (waited.size > 0) return;
            clearTimeout(timer);
            resolve();
          },
        });
        setTimeout(() => subscription.unsubscribe(), answerMs + 1).unref();
        nats.publish(`${prefix}.nodes.ask.${kind}`, JSON.stringify({ from: this.#instance, question }), {
          reply: inbox,
        });
      });
    }
    const others = [...items].map(([instance, found]) => ({
      node: this.#peers.get(instance)?.node ?? "",
      items: found,
    }));
    const own: NodeAnswer<unknown> = { node: this.node, items: (await ours) ?? [] };
    return { answers: [own, ...others], silent: [...waited.values()].toSorted() };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const { nats, prefix } = this.#options;
    if (!nats.isClosed()) nats.publish(`${prefix}.nodes.gone`, JSON.stringify(this.#presence()));
  }

  /** Names of the other nodes by instance. */
  #present(): Map<string, string> {
    const now = this.#options.now();
    for (const [instance, { seenAtMs }] of this.#peers) if (now - seenAtMs > goneMs) this.#peers.delete(instance);
    return new Map([...this.#peers].map(([instance, { node }]) => [instance, node]));
  }

  #presence(): Presence {
    return { node: this.node, instance: this.#instance };
  }

  #sayHere(): void {
    const { nats, prefix } = this.#options;
    if (!nats.isClosed()) nats.publish(`${prefix}.nodes.here`, JSON.stringify(this.#presence()));
  }

  #met(message: Msg): void {
    const { node, instance } = message.json<Presence>();
    if (instance === this.#instance) return;
    const seenAtMs = this.#options.now();
    const known = this.#peers.get(instance);
    if (known !== undefined) {
      known.seenAtMs = seenAtMs;
      return;
    }
    if (this.#peers.size >= nodesMax) return;
    this.#peers.set(instance, { node, seenAtMs });
    if (node === this.node) this.#options.onNamesake(node);
    // So that a new node knows the others at once.
    this.#sayHere();
  }

  #parted(message: Msg): void {
    this.#peers.delete(message.json<Presence>().instance);
  }

  async #asked(message: Msg): Promise<void> {
    const { from, question } = message.json<{ readonly from: string; readonly question: unknown }>();
    const kind = message.subject.slice(message.subject.lastIndexOf(".") + 1);
    const answer = this.#answers.get(kind);
    if (from === this.#instance || answer === undefined || message.reply === undefined) return;
    let part: unknown[] = [];
    let bytes = 0;
    const send = (isLast: boolean): void => {
      message.respond(JSON.stringify({ ...this.#presence(), items: part, isLast } satisfies Part));
      part = [];
      bytes = 0;
    };
    const items = await answer(question);
    if (this.#options.nats.isClosed()) return;
    for (const item of items) {
      part.push(item);
      bytes += JSON.stringify(item).length;
      if (bytes >= partBytes) send(false);
    }
    send(true);
  }
}
