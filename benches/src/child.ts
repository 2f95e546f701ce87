// Starts a bench's processes, each pinned to a core, and talks to them.

import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

const hasTaskset = spawnSync("taskset", ["--version"]).status === 0;

/** A child that runs `script` (beside this file) on one core, with one JSON argument. */
export class PinnedChild<Reply> implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor(script: string, options: unknown, core: number) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.#child = fork(path, [JSON.stringify(options)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    if (hasTaskset && this.#child.pid !== undefined) {
      spawnSync("taskset", ["-a", "-p", "-c", String(core), String(this.#child.pid)]);
    }
  }

  /** The child's next message. */
  next(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`the child ended with ${code}`));
      this.#child.once("exit", onExit);
      this.#child.once("message", (message) => {
        this.#child.off("exit", onExit);
        resolve(message as Reply);
      });
    });
  }

  /** Sends a request and waits for the reply to it. */
  async ask(request: string): Promise<Reply> {
    const reply = this.next();
    this.#child.send(request);
    return reply;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(timer);
  }
}
