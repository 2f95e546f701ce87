// Many SDK clients in a process of their own, so that neither their work nor their descriptors are the test's.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { within } from "./deadline.js";

export interface CrowdOptions {
  readonly url: string;
  readonly token: string;
  readonly clients: number;
  /** Event names that all of them subscribe to; published with `{ n }` as payload, counting up by one. */
  readonly events: readonly string[];
  /** Clients opened a second until all are; default 500. */
  readonly opensPerSecond?: number;
  /** Clients closed a second once all are open, the oldest first, each followed by a new one; default 0. */
  readonly churnPerSecond?: number;
}

/** What a crowd has seen. */
export interface CrowdReport {
  readonly clients: number;
  /** Connected, with nothing left to catch up on. */
  readonly live: number;
  /** Clients since the start. */
  readonly opened: number;
  /** Times that a lost client was back. */
  readonly returns: number;
  /** The least number of a client's next event. */
  readonly next: number;
  /** Events that were missing, repeated or out of order, and clients that ended for good. */
  readonly wrongs: number;
  /** The first few of them, in words. */
  readonly wrong: readonly string[];
  readonly gaps: number;
}

/** What the process is told. */
export type CrowdOrder =
  | ({ readonly order: "begin" } & Required<CrowdOptions>)
  | { readonly order: "report" | "times of returns" }
  | { readonly order: "forget returns" };

const program = fileURLToPath(new URL("../dist/crowd-process.js", import.meta.url));
const opensPerSecondDefault = 500;
/** A process with thousands of clients may be busy for a while. */
const reportMs = 60_000;

/** A running crowd. */
export class Crowd implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the process; the clients open from now on. */
  static start(options: CrowdOptions): Crowd {
    const child = fork(program, { execArgv: [] });
    const crowd = new Crowd(child);
    crowd.#tell({ order: "begin", opensPerSecond: opensPerSecondDefault, churnPerSecond: 0, ...options });
    return crowd;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** What it has seen so far. One at a time. */
  async report(): Promise<CrowdReport> {
    const answer = once(this.#child, "message");
    this.#tell({ order: "report" });
    const [report] = (await within("the crowd's report", answer, reportMs)) as [CrowdReport];
    return report;
  }

  /** When lost clients were back, ms since the Unix epoch by the machine's monotonic clock, in order. */
  async returnedAtMs(): Promise<readonly number[]> {
    const answer = once(this.#child, "message");
    this.#tell({ order: "times of returns" });
    const [times] = (await within("the times of the crowd's returns", answer, reportMs)) as [readonly number[]];
    return times;
  }

  /** Begins counting returns anew. */
  forgetReturns(): void {
    this.#tell({ order: "forget returns" });
  }

  #tell(order: CrowdOrder): void {
    this.#child.send(order);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await within("the crowd to be gone", ended);
  }
}
