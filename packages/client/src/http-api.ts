// Requests to the HTTP API: with the token, in time, tried again where that can help.
import { pathAddress } from "./address.js";
import { Backoff } from "./backoff.js";
import type { Environment } from "./environment.js";
import { SluiceError } from "./sluice-error.js";
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
  readonly address: URL;
  readonly tokens: TokenSource;
  readonly fetch: Fetch;
  readonly environment: Environment;
}

export interface ApiRequest {
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** JSON; the request then is a POST. */
  readonly body?: string;
  readonly signal: AbortSignal;
  /** How long to go on trying after the first failure, ms; default for ever. */
  readonly retryForMs?: number;
}

/** Longest wait for an answer, ms: a commit takes milliseconds, a busy disk seconds. */
const answerMaxMs = 30_000;
/** The service may take it later (docs/codes.md); 401 for as long as a new token may help. */
const againStatuses: readonly number[] = [408, 425, 429, 500, 502, 503, 504, 507];

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
    const { environment, tokens } = this.#options;
    const { signal, retryForMs = Number.POSITIVE_INFINITY } = request;
    const backoff = new Backoff(environment.random);
    const startedAt = environment.now();
    for (;;) {
      const answer = await this.#try(request).catch((error: unknown) => error);
      if (signal.aborted) throw new SluiceError("CLOSED", "the client was closed");
      const wait = Math.max(backoff.next(), isAnswer(answer) ? answer.retryAfterMs : 0);
      if (isAnswer(answer)) {
        const { status, json } = answer;
        if (status < 300) return json;
        const isToken = status === 401 && tokens.renews;
        if (!isToken && !againStatuses.includes(status)) throw refusal(answer);
        // The first time another token is tried at once.
        if (isToken && backoff.attempts === 1) continue;
      }
      if (environment.now() - startedAt + wait > retryForMs) {
        throw isAnswer(answer)
          ? refusal(answer)
          : new SluiceError("UNAVAILABLE", "the service can't be reached", { cause: answer });
      }
      await this.#pause(wait, signal);
    }
  }

  async #try({ path, query = {}, body, signal }: ApiRequest): Promise<Answer> {
    const { tokens, address, fetch, environment } = this.#options;
    const token = await tokens.current();
    const giveUp = new AbortController();
    const abort = (): void => giveUp.abort();
    const cancel = environment.after(answerMaxMs, abort);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      const response = await fetch(pathAddress(address, path, query).href, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body ?? null,
        signal: giveUp.signal,
      });
      const { status } = response;
      if (status === 401) tokens.forget(token);
      const retryAfterMs = Number(response.headers.get("retry-after")) * 1_000 || 0;
      return { status, retryAfterMs, json: membersOf(await response.text()) };
    } finally {
      cancel();
      signal.removeEventListener("abort", abort);
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.environment.after(ms, done);
      function done(): void {
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      }
      signal.addEventListener("abort", done);
    });
    if (signal.aborted) throw new SluiceError("CLOSED", "the client was closed");
  }
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && "retryAfterMs" in value;
}

function refusal({ status, json }: Answer): SluiceError {
  const said = json["detail"] ?? json["title"];
  const message = typeof said === "string" ? said : "the service refused the request";
  const code = againStatuses.includes(status) ? "UNAVAILABLE" : status === 403 ? "FORBIDDEN" : "REFUSED";
  return new SluiceError(code, `${message} (HTTP ${status})`, { status });
}

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
