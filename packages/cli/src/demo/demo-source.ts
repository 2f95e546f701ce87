// The demo: publishes this machine's metrics at an interval, for as long as the service runs.
import { hostname } from "node:os";
import { type Clock, systemClock } from "@sluice/runtime";
import type { PublishOutcome } from "@sluice/server";
import { machineMetrics } from "./machine-metrics.js";
import { type MachineReading, readMachine } from "./machine-reading.js";

/** What the demo works with. */
export interface DemoSourceOptions {
  readonly publish: (events: unknown) => Promise<PublishOutcome>;
  /** `demo.interval_ms`. */
  readonly intervalMs: number;
  /** Told when publishing fails, and told again only after it has worked in between. */
  readonly onTrouble: (what: string) => void;
  readonly clock?: Clock;
  readonly read?: (nowMs: number) => Promise<MachineReading>;
}

/** One running demo. A tick that comes while the last one still publishes is left out, so nothing piles up. */
export class DemoSource {
  readonly #options: DemoSourceOptions;
  readonly #clock: Clock;
  readonly #read: (nowMs: number) => Promise<MachineReading>;
  #last: MachineReading | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isTicking = false;
  #isInTrouble = false;

  constructor(options: DemoSourceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#read = options.read ?? ((nowMs) => readMachine(nowMs));
  }

  /** Takes the first reading; the first events follow an interval later. */
  start(): void {
    void this.tick();
    this.#timer = setInterval(() => void this.tick(), this.#options.intervalMs);
  }

  /** No more events. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** One reading, and the events since the one before. Never rejects. */
  async tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    try {
      const reading = await this.#read(this.#clock.now());
      const last = this.#last;
      this.#last = reading;
      if (last === undefined) return;
      const outcome = await this.#options.publish(machineMetrics(last, reading, hostname()));
      this.#judge(outcome);
    } catch (error) {
      this.#complain(error instanceof Error ? error.message : String(error));
    } finally {
      this.#isTicking = false;
    }
  }

  #judge(outcome: PublishOutcome): void {
    if (outcome.outcome === "accepted") this.#isInTrouble = false;
    else this.#complain(outcome.outcome === "refused" ? outcome.problem.detail : outcome.code);
  }

  #complain(what: string): void {
    if (!this.#isInTrouble) this.#options.onTrouble(what);
    this.#isInTrouble = true;
  }
}
