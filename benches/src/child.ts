// Starts a bench's processes, each pinned to a core, and talks to them.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { setPriority } from "node:os";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const hasTaskset = spawnSync("taskset", ["--version"]).status === 0;
const killAfterMs = 5000;
/** Where the scheduler knows no idle class: about a tenth of the weight of an ordinary process. */
const lowPriority = 10;

/** How a child is started, where that isn't this process's own Node. */
export interface Program {
  /** Default: this process's. */
  readonly execPath?: string;
  /** The program's own flags, before the script; default none. */
  readonly flags?: readonly string[];
  /** The script is a program by itself; its options are texts, an argument each. Default false. */
  readonly isNative?: boolean;
  /** It runs when nobody else on its core wants to: it stands for somebody else's machine. Default false. */
  readonly isBehind?: boolean;
}

/** Has a process run on one core, where `taskset` is there. */
export function pinTo(core: number, pid: number): void {
  if (hasTaskset) spawnSync("taskset", ["-a", "-p", "-c", String(core), String(pid)]);
}

/**
 * Lets the others on its core go first: an ordinary process preempts one of class `SCHED_IDLE` as soon as it wakes
 * (sched(7)). They are of one session, as the kernel weighs sessions before the processes in them (autogroup).
 */
function standBack(pid: number): void {
  if (spawnSync("chrt", ["-a", "-i", "-p", "0", String(pid)]).status !== 0) setPriority(pid, lowPriority);
}

/** A child that runs `script` (beside this file, or a URL) on one core, with one JSON argument. */
export class PinnedChild<Reply> implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** Resolves with why; a child may end, or fail to start, while nobody waits for it. */
  readonly #ended: Promise<Error>;

  /** @param core null leaves it to the scheduler */
  constructor(script: string, options: unknown, core: number | null, program: Program = {}) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const { execPath = process.execPath, flags = [], isNative = false } = program;
    const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
    this.#child = isNative
      ? spawn(path, options as readonly string[], { stdio: [...stdio] })
      : spawn(execPath, [...flags, path, JSON.stringify(options)], { stdio: [...stdio] });
    this.#ended = new Promise((resolve) => {
      this.#child.on("error", resolve);
      this.#child.on("exit", (code, signal) => resolve(new Error(`${basename(path)} ended with ${code ?? signal}`)));
    });
    if (core !== null && this.#child.pid !== undefined) pinTo(core, this.#child.pid);
    if (program.isBehind === true && this.#child.pid !== undefined) standBack(this.#child.pid);
  }

  /** 0 where it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The child's next message. @throws when it has ended */
  next(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: unknown): void => resolve(message as Reply);
      this.#child.once("message", onMessage);
      void this.#ended.then((error) => {
        this.#child.off("message", onMessage);
        reject(error);
      });
    });
  }

  /** Sends a request, a word or an object, and waits for the reply to it. @throws when the child has ended */
  async ask(request: string | object): Promise<Reply> {
    const reply = this.next();
    // What can't be sent to a child that has ended is told by `reply`.
    this.#child.send(request, () => {});
    return reply;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), killAfterMs);
    await this.#ended;
    clearTimeout(timer);
  }
}
