// What a process takes of the machine's memory, from /proc: its own word for it would need its own event loop.

import { readFileSync } from "node:fs";

/** Bytes: the resident set, and of it what is the process's own and not a mapped file that the kernel may take back. */
export interface ResidentMemory {
  readonly rss: number;
  readonly anonymous: number;
}

/** Reads it. @throws when the process has gone. */
export function residentMemory(pid: number): ResidentMemory {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const kib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(status)?.[1] ?? Number.NaN);
  return { rss: kib("VmRSS") * 1024, anonymous: kib("RssAnon") * 1024 };
}

const sampleMs = 100;

/** Greatest values seen, sampled ten times a second until disposed. */
export class MemoryPeak implements Disposable {
  rss = 0;
  anonymous = 0;
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#look(), sampleMs);
    this.#look();
  }

  #look(): void {
    const { rss, anonymous } = residentMemory(this.#pid);
    this.rss = Math.max(this.rss, rss);
    this.anonymous = Math.max(this.anonymous, anonymous);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
