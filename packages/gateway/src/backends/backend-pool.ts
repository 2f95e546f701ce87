// The backends, and which of them gets the next caller. The list may change at any time; what has begun goes on.
import type { Clock } from "@sluice/runtime";
import { Backend } from "./backend.js";

export class BackendPool {
  readonly #clock: Clock;
  #backends: readonly Backend[] = [];
  /** Those that have left the list; asked of only while somebody is still connected to them. */
  readonly #departed = new Set<Backend>();
  #turn = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those of the list, in its order. */
  get backends(): readonly Backend[] {
    return this.#backends;
  }

  /** Those of the list, and those that have left it with connections still open. */
  get known(): readonly Backend[] {
    return [...this.#backends, ...[...this.#departed].filter(({ connections }) => connections > 0)];
  }

  get available(): number {
    return this.#backends.filter((backend) => backend.isAvailable).length;
  }

  /** Replaces the list. A backend that stays keeps all that is known of it; one that goes gets nobody new. */
  setList(urls: readonly string[]): void {
    const known = new Map(this.#backends.map((backend) => [backend.url.href, backend]));
    const hrefs = new Set(urls.map((url) => new URL(url).href));
    this.#backends = [...hrefs].map((href) => known.get(href) ?? new Backend(new URL(href)));
    for (const [href, backend] of known) {
      if (hrefs.has(href)) continue;
      backend.isDraining = true;
      this.#departed.add(backend);
    }
    for (const backend of this.#departed) if (backend.connections === 0) this.#departed.delete(backend);
  }

  /**
   * The backend with the fewest connections that may be dialled and has not been tried; those that failed lately only
   * where there is no other. Undefined when there is none.
   */
  choose(tried: ReadonlySet<Backend>): Backend | undefined {
    const now = this.#clock.now();
    const candidates = this.#backends.filter((backend) => backend.isAvailable && !tried.has(backend));
    const sound = candidates.filter((backend) => !backend.isEjected(now));
    const among = sound.length > 0 ? sound : candidates;
    const least = Math.min(...among.map((backend) => backend.connections));
    const equal = among.filter((backend) => backend.connections === least);
    this.#turn = (this.#turn + 1) % Number.MAX_SAFE_INTEGER;
    return equal[this.#turn % equal.length];
  }

  find(host: string): Backend | undefined {
    return this.#backends.find((backend) => backend.url.host === host);
  }
}
