// The process that writes the log and keeps workers: it takes no connection itself. Node's cluster hands every new
// connection to a worker in turn; a commit wakes the workers with a message, which holds it where it is small, and a large
// one they read from the shared map.

import type { Worker } from "node:cluster";
import type { Logger, MetricsReading } from "@sluice/runtime";
import { ConnectionCounts, type CountChange } from "./connection-counts.js";
import type { EventDraft, EventLog, EventRecord } from "../log/event-log.js";
import { Link } from "./link.js";
import { newsOf } from "./log-news.js";
import type { Forwarded } from "./member.js";

/** How long to wait before a worker that ended unasked is started anew, ms; doubled each time, up to the greatest. */
const restartMsMin = 250;
const restartMsMax = 15_000;
/** A worker that lived for so long starts the doubling anew, ms. */
const settledMs = 60_000;
/** A worker that is still there so long after its drain was over is cut off, ms. */
const lateMs = 5000;

/** Where a worker listens. */
export interface Urls {
  readonly url: string;
  readonly opsUrl: string;
}

export interface FleetOptions {
  readonly workers: number;
  readonly log: EventLog;
  readonly logger: Logger;
  /** Starts a worker process. */
  readonly fork: () => Worker;
  /** What this process counts. */
  readonly readMetrics: () => Promise<MetricsReading>;
}

interface Place {
  readonly worker: Worker;
  readonly link: Link;
  readonly counts: ConnectionCounts;
  isListening: boolean;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #places = new Set<Place>();
  readonly #unfollow: () => void;
  /** Whether all workers were started once: from then on one that can't be started is tried again. */
  #hasBegun = false;
  #isEnding = false;
  #restartMs = restartMsMin;
  #whenAllGone: (() => void) | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#unfollow = options.log.follow((committed) => this.#wake(committed));
  }

  /**
   * Starts the workers; resolves when all of them listen, to where.
   * @throws {Error} when one ended before that; all are ended then.
   */
  async start(): Promise<Urls> {
    const { workers } = this.#options;
    try {
      // One after the other: with port 0 the first one's port is the others' too.
      let urls: Urls | undefined;
      for (let index = 0; index < workers; index += 1) urls = await this.#startOne();
      if (urls === undefined) throw new Error("a service has at least one worker");
      this.#hasBegun = true;
      return urls;
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  #startOne(): Promise<Urls> {
    const worker = this.#options.fork();
    const startedAtMs = performance.now();
    return new Promise((resolve, reject) => {
      const counts = new ConnectionCounts();
      const link = new Link({
        channel: {
          send: (message) => {
            if (worker.isConnected()) worker.send(message, () => {});
          },
          onMessage: (listener) => {
            worker.on("message", listener);
          },
          onClose: (listener) => {
            worker.on("exit", listener);
          },
        },
        answer: (kind, about) => this.#answer(place, kind, about),
        told: (kind, about) => {
          if (kind === "counts") this.#count(place, about as readonly CountChange[]);
          if (kind !== "listening") return;
          place.isListening = true;
          this.#join(place);
          resolve(about as Urls);
        },
      });
      const place: Place = { worker, link, counts, isListening: false };
      this.#places.add(place);
      worker.on("error", (error) => this.#options.logger.error({ err: error }, "a worker could not be reached"));
      worker.once("exit", (code, signal) => {
        reject(new Error(`a worker ended with ${signal ?? `exit code ${code}`} before it listened`));
        this.#leave(place, performance.now() - startedAtMs, signal ?? code);
      });
    });
  }

  /** A worker that has come knows of everybody's connections, and where the log stands. */
  #join(place: Place): void {
    for (const other of this.#places) {
      if (other === place) continue;
      place.link.tell(
        "counts",
        other.counts.undoing().map(({ of, key, change }) => ({ of, key, change: -change })),
      );
    }
    place.link.tell("log", newsOf(this.#options.log.stats(), []));
  }

  #leave(place: Place, livedMs: number, how: string | number): void {
    this.#places.delete(place);
    this.#tellOthers(place, "counts", place.counts.undoing());
    if (this.#places.size === 0) this.#whenAllGone?.();
    if (this.#isEnding || !(this.#hasBegun || place.isListening)) return;
    if (livedMs > settledMs) this.#restartMs = restartMsMin;
    this.#options.logger.error({ how, restart_ms: this.#restartMs }, "a worker ended unasked; another is started");
    setTimeout(() => {
      if (!this.#isEnding) this.#startOne().catch(() => {});
    }, this.#restartMs);
    this.#restartMs = Math.min(restartMsMax, this.#restartMs * 2);
  }

  async #answer(place: Place, kind: string, about: unknown): Promise<unknown> {
    if (kind === "append") {
      try {
        return await this.#options.log.append(about as readonly EventDraft[]);
      } catch (error) {
        this.#wake();
        throw error;
      }
    }
    const forwarded = about as Forwarded;
    const others = [...this.#places].filter((other) => other !== place);
    const asked = await Promise.allSettled(others.map(({ link }) => link.ask(forwarded.kind, forwarded.question)));
    const answers = asked.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    if (forwarded.kind === "metrics") answers.push(await this.#options.readMetrics());
    return answers.filter((answer) => answer !== null);
  }

  #count(place: Place, changes: readonly CountChange[]): void {
    for (const change of changes) place.counts.add(change);
    this.#tellOthers(place, "counts", changes);
  }

  #tellOthers(place: Place, kind: string, about: unknown): void {
    for (const other of this.#places) if (other !== place) other.link.tell(kind, about);
  }

  #wake(committed: readonly EventRecord[] = []): void {
    const news = newsOf(this.#options.log.stats(), committed);
    for (const { link } of this.#places) link.tell("log", news);
  }

  /** Drains all workers; resolves when they have gone. @param drainMs `server.drain_ms` */
  async drain(drainMs: number): Promise<void> {
    this.#isEnding = true;
    const gone = this.#gone();
    for (const { link } of this.#places) link.tell("drain", null);
    const late = setTimeout(() => this.#killAll(), drainMs + lateMs);
    await gone;
    clearTimeout(late);
    this.#unfollow();
  }

  /** Ends all workers at once. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    const gone = this.#gone();
    this.#killAll();
    await gone;
    this.#unfollow();
  }

  #killAll(): void {
    for (const { worker } of this.#places) worker.process.kill("SIGKILL");
  }

  #gone(): Promise<void> {
    if (this.#places.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenAllGone = resolve;
    });
  }
}
