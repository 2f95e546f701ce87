// Looks at every backend's `/readyz` at an interval, so that one that is going away gets nobody new.
import { Agent, errors, request } from "undici";
import type { Backend, BackendHealth } from "./backend.js";
import type { BackendPool } from "./backend-pool.js";

export interface HealthChecksOptions {
  readonly pool: BackendPool;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly onChange: (backend: Backend, health: BackendHealth) => void;
}

/** Time between two looks at one that is down, ms, where the interval is longer: clients wait for it. */
const downIntervalMs = 250;
const notFound = 404;
const okMax = 299;

export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #agent: Agent;
  readonly #underWay = new Set<Backend>();
  #timers: readonly NodeJS.Timeout[] = [];

  constructor(options: HealthChecksOptions) {
    this.#options = options;
    const { timeoutMs } = options;
    this.#agent = new Agent({
      connections: 1,
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  /** Looks now, and then at the interval. */
  start(): void {
    const { pool, intervalMs } = this.#options;
    void this.lookAtAll();
    const lookAtDown = (): void => void this.#lookAt(pool.backends.filter(({ health }) => health === "down"));
    this.#timers = [
      setInterval(() => void this.lookAtAll(), intervalMs),
      setInterval(lookAtDown, Math.min(intervalMs, downIntervalMs)),
    ];
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#agent.destroy();
  }

  /** Looks at every backend that is not being looked at already. */
  async lookAtAll(): Promise<void> {
    await this.#lookAt(this.#options.pool.backends);
  }

  async #lookAt(backends: readonly Backend[]): Promise<void> {
    const free = backends.filter((backend) => !this.#underWay.has(backend));
    await Promise.all(free.map((backend) => this.#look(backend)));
  }

  async #look(backend: Backend): Promise<void> {
    this.#underWay.add(backend);
    const before = backend.health;
    backend.looked(await this.#ask(backend.url));
    this.#underWay.delete(backend);
    if (backend.health !== before) this.#options.onChange(backend, backend.health);
  }

  async #ask(url: URL): Promise<"ready" | "not-ready" | "late"> {
    try {
      const target = new URL(`${url.pathname.replace(/\/+$/, "")}/readyz`, url);
      const { statusCode, body } = await request(target, {
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(this.#options.timeoutMs),
      });
      await body.dump();
      // Any WebSocket server can be behind us: one that answers without knowing the path is there.
      return statusCode <= okMax || statusCode === notFound || isNoHttpPath(statusCode) ? "ready" : "not-ready";
    } catch (error) {
      return this.#judgeError(error);
    }
  }

  #judgeError(error: unknown): "ready" | "not-ready" | "late" {
    if (error instanceof errors.HTTPParserError) return "ready";
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const isLate =
      code === "UND_ERR_CONNECT_TIMEOUT" || code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT";
    const isAborted = error instanceof Error && error.name === "TimeoutError";
    return isLate || isAborted ? "late" : "not-ready";
  }
}

/** What WebSocket servers say to a request that is no handshake. */
function isNoHttpPath(status: number): boolean {
  return status === 400 || status === 405 || status === 426;
}
