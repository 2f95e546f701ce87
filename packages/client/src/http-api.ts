// Requests to the HTTP API: with the token, in time, tried again where that can help.
import { pathAddress, type Query } from "./address.js";
import { createBackoff } from "./backoff.js";
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
/** Stands for the status where there was no answer. */
const noStatus = 0;
/** HTTP statuses after which the service may take the same later (docs/codes.md). */
export const againStatuses: readonly number[] = [noStatus, 408, 425, 429, 500, 502, 503, 504, 507];

type Members = Readonly<Record<string, unknown>>;

interface Answer {
  readonly status: number;
  readonly retryAfterMs: number;
  readonly json: Members;
  readonly cause?: unknown;
}

/** The members of a successful answer. @throws {SluiceError} when it was refused, or nobody answered for too long. */
export type HttpApi = (request: ApiRequest) => Promise<Members>;

export function createHttpApi({ address, tokens, fetch, environment, onRetry }: HttpApiOptions): HttpApi {
  const { now, after, random } = environment;

  /** Tells `run` when `ms` have passed or `signal` is aborted. `AbortSignal.any` would do, but leaks in Node 20. */
  const within = async <T>(ms: number, signal: AbortSignal, run: (over: AbortSignal) => Promise<T>): Promise<T> => {
    if (signal.aborted) throw closedError();
    const ending = new AbortController();
    const end = (): void => ending.abort();
    const cancel = after(ms, end);
    signal.addEventListener("abort", end, { signal: ending.signal });
    try {
      return await run(ending.signal);
    } finally {
      cancel();
      end();
    }
  };

  const ask = async ({ path, query = {}, body }: ApiRequest, signal: AbortSignal): Promise<Answer> => {
    const token = await tokens.current();
    const response = await fetch(pathAddress(address, path, query), {
      method: body === undefined ? "GET" : "POST",
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        "content-type": "application/json",
      },
      body: body ?? null,
      signal,
    });
    const { status } = response;
    if (status === 401) tokens.forget(token);
    const retryAfterMs = Number(response.headers.get("retry-after")) * 1_000 || 0;
    return { status, retryAfterMs, json: membersOf(await response.text()) };
  };

  return async (request) => {
    const { signal, retryForMs = Number.POSITIVE_INFINITY } = request;
    const backoff = createBackoff(random);
    const startedAt = now();
    for (;;) {
      const { status, json, retryAfterMs, cause } = await within(answerMaxMs, signal, (over) =>
        ask(request, over).catch((thrown: unknown): Answer => ({
          status: noStatus,
          retryAfterMs: 0,
          json: {},
          cause: thrown,
        })),
      );
      if (signal.aborted) throw closedError();
      if (status >= 200 && status < 300) return json;
      const mayPass = againStatuses.includes(status);
      const said = (json["detail"] ?? json["title"] ?? "refused") as string;
      const error = new SluiceError(
        mayPass ? "UNAVAILABLE" : status === 403 ? "FORBIDDEN" : "REFUSED",
        status === noStatus ? "no answer" : `${said} (HTTP ${status})`,
        status || undefined,
        cause,
        json,
      );
      const isToken = status === 401 && tokens.renews;
      if (!isToken && !mayPass) throw error;
      const ms = Math.max(backoff.next(), retryAfterMs);
      // The first time another token is tried at once.
      const waitMs = isToken && backoff.attempts === 1 ? 0 : ms;
      if (now() - startedAt + waitMs > retryForMs) throw error;
      onRetry?.(error, waitMs);
      await within(waitMs, signal, (over) => new Promise((resolve) => over.addEventListener("abort", resolve)));
    }
  };
}

function membersOf(text: string): Members {
  try {
    return Object(JSON.parse(text)) as Members;
  } catch {
    return {};
  }
}
