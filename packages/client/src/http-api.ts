// Requests to the HTTP API: with the token, in time, tried again where that can help.
import { pathAddress, type Query } from "./address.js";
import { Backoff } from "./backoff.js";
import type { Environment } from "./environment.js";
import { closedError, SluiceError } from "./sluice-error.js";
import type { TokenSource } from "./token-source.js";

/** What is needed of `fetch`. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body: string | null; signal: AbortSignal },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

export interface HttpApiOptions {
  /** Ending in `/`. */
  readonly address: string;
  readonly tokens: TokenSource;
  readonly fetch: Fetch;
  readonly environment: Environment;
  /** Told of a request that failed and is made again after `ms`. */
  readonly onRetry?: ((error: SluiceError, ms: number) => void) | undefined;
}

export interface ApiRequest {
  readonly path: string;
  readonly query?: Query;
  /** JSON; the request then is a POST. */
  readonly body?: string;
  readonly signal: AbortSignal;
  /** How long to go on trying after the first failure, ms; default for ever. */
  readonly retryForMs?: number;
}

/** Longest wait for an answer, ms: a commit takes milliseconds, a busy disk seconds. */
const answerMaxMs = 15_000;
/** HTTP statuses after which the service may take the same later (docs/codes.md). */
export const againStatuses: readonly number[] = [408, 425, 429, 500, 502, 503, 504, 507];

interface Answer {
  readonly status: number;
  readonly retryAfterMs: number;
  readonly json: Readonly<Record<string, unknown>>;
}

export class HttpApi {
  readonly #options: HttpApiOptions;

  constructor(options: HttpApiOptions) {
    this.#options = options;
  }

  /** The members of a successful answer. @throws {SluiceError} when it was refused, or nobody answered for too long. */
  async request(request: ApiRequest): Promise<Readonly<Record<string, unknown>>> {
    const { environment, tokens, onRetry } = this.#options;
    const { signal, retryForMs = Number.POSITIVE_INFINITY } = request;
    const backoff = new Backoff(environment.random);
    const startedAt = environment.now();
    for (;;) {
      const answer = await this.#within(answerMaxMs, signal, (over) => this.#try(request, over)).catch(
        (error: unknown) => error,
      );
      if (signal.aborted) throw closedError();
      let wait = backoff.next();
      let error = new SluiceError("UNAVAILABLE", "no answer in time", undefined, answer);
      if (isAnswer(answer)) {
        const { status, json, retryAfterMs } = answer;
        if (status < 300) return json;
        error = refusal(answer);
        const isToken = status === 401 && tokens.renews;
        if (!isToken && !againStatuses.includes(status)) throw error;
        // The first time another token is tried at once.
        wait = isToken && backoff.attempts === 1 ? 0 : Math.max(wait, retryAfterMs);
      }
      if (environment.now() - startedAt + wait > retryForMs) throw error;
      onRetry?.(error, wait);
      await this.#within(wait, signal, (over) => new Promise((resolve) => over.addEventListener("abort", resolve)));
      if (signal.aborted) throw closedError();
    }
  }

  async #try({ path, query = {}, body }: ApiRequest, over: AbortSignal): Promise<Answer> {
    const { tokens, address, fetch } = this.#options;
    const token = await tokens.current();
    const response = await fetch(pathAddress(address, path, query), {
      method: body === undefined ? "GET" : "POST",
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        "content-type": "application/json",
      },
      body: body ?? null,
      signal: over,
    });
    const { status } = response;
    if (status === 401) tokens.forget(token);
    const retryAfterMs = Number(response.headers.get("retry-after")) * 1_000 || 0;
    return { status, retryAfterMs, json: membersOf(await response.text()) };
  }

  /** Tells `run` when `ms` have passed or `signal` is aborted. `AbortSignal.any` would do, but leaks in Node 20. */
  async #within<T>(ms: number, signal: AbortSignal, run: (over: AbortSignal) => Promise<T>): Promise<T> {
    const ending = new AbortController();
    const end = (): void => ending.abort();
    const cancel = this.#options.environment.after(ms, end);
    signal.addEventListener("abort", end);
    try {
      return await run(ending.signal);
    } finally {
      cancel();
      signal.removeEventListener("abort", end);
    }
  }
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && "retryAfterMs" in value;
}

function refusal({ status, json }: Answer): SluiceError {
  const said = json["detail"] ?? json["title"];
  const message = typeof said === "string" ? said : "refused";
  const code = againStatuses.includes(status) ? "UNAVAILABLE" : status === 403 ? "FORBIDDEN" : "REFUSED";
  return new SluiceError(code, `${message} (HTTP ${status})`, status, undefined, json);
}

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
