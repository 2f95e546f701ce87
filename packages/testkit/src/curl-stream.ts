// `curl -N` on an event stream: what somebody types who has nothing of ours.
import { spawn, type ChildProcess } from "node:child_process";
import { deadlineMsDefault, within } from "./deadline.js";
import { EventStreamParser, type StreamedEvent } from "./event-stream.js";

export interface CurlOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** More of curl's own options. */
  readonly args?: readonly string[];
}

export interface CurlExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running `curl -N`; its headers and events are read as they come. */
export class CurlStream implements AsyncDisposable {
  readonly exited: Promise<CurlExit>;
  /** The response's head, once it is there. */
  head = "";
  readonly stream = new EventStreamParser();
  readonly #child: ChildProcess;
  #exit: CurlExit | undefined;
  #read = 0;
  #wake: (() => void) | undefined;

  constructor(url: string, { token, headers = {}, args = [] }: CurlOptions = {}) {
    const all = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers };
    const flags = Object.entries(all).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
    // -D - writes the head before the body.
    this.#child = spawn("curl", ["-sS", "-N", "-D", "-", ...args, ...flags, url], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let isBody = false;
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (isBody) this.stream.push(text);
      else {
        this.head += text;
        const end = this.head.indexOf("\r\n\r\n");
        if (end === -1) return;
        isBody = true;
        const body = this.head.slice(end + 4);
        this.head = this.head.slice(0, end);
        this.stream.push(body);
      }
      this.#wake?.();
    });
    this.exited = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => {
        this.#exit = { code, signal };
        this.#wake?.();
        resolve(this.#exit);
      });
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Resolves with the response's head. */
  async opened(): Promise<string> {
    await this.#until("the response's head", () => (this.head === "" ? undefined : true));
    return this.head;
  }

  /** The next event of a type; others before it are passed over. */
  async next(type: string, deadlineMs?: number): Promise<StreamedEvent> {
    return this.nextWhere(`an event "${type}"`, (event) => event.type === type, deadlineMs);
  }

  /** The next event that fits; others before it are passed over. */
  async nextWhere(
    what: string,
    fits: (event: StreamedEvent) => boolean,
    deadlineMs = deadlineMsDefault,
  ): Promise<StreamedEvent> {
    return this.#until(
      what,
      () => {
        while (this.#read < this.stream.events.length) {
          const event = this.stream.events[this.#read] as StreamedEvent;
          this.#read += 1;
          if (fits(event)) return event;
        }
        return undefined;
      },
      deadlineMs,
    );
  }

  /** The next comment that fits, also one that came before. */
  async comment(what: string, fits: (comment: string) => boolean): Promise<string> {
    return this.#until(what, () => this.stream.comments.find(fits));
  }

  async #until<T>(what: string, look: () => T | undefined, deadlineMs = deadlineMsDefault): Promise<T> {
    const arrival = async (): Promise<T> => {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (this.#exit !== undefined) throw new Error(`waited for ${what}; instead curl ended with ${this.#exit.code}`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    return within(what, arrival(), deadlineMs, () => JSON.stringify(this.stream.events.slice(-3)).slice(0, 600));
  }

  /** Stops or continues the process: it then really doesn't read. */
  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
    this.#child.kill(signal);
  }

  /** Cuts it off in the middle of whatever it was doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }
}
