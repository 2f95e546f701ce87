// One question to every backend at once, for what only all of them together can answer.
import { Agent, errors } from "undici";
import type { Backend } from "../backends/backend.js";
import { forwardedTarget } from "../handshake/forwarded-target.js";

/** How long each of them has for its whole answer, ms. */
const answerMs = 5_000;
/** Largest answer of one, bytes: about 50,000 connections. */
const answerBytesMax = 32 * 1_048_576;

/** What is asked of each of them. */
export interface Question {
  readonly method: "GET" | "DELETE";
  /** The caller's target; what authenticated it does not go on. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A backend's answer, or why there is none. */
export type Answer =
  | { readonly kind: "answered"; readonly backend: Backend; readonly status: number; readonly body: unknown }
  | { readonly kind: "missing"; readonly backend: Backend; readonly reason: "unreachable" | "late" | "unreadable" };

export class EveryBackend {
  readonly #agent = new Agent({
    connect: { timeout: answerMs },
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
    maxResponseSize: answerBytesMax,
  });

  /** Never rejects; answers are in the order of the backends. */
  ask(backends: readonly Backend[], question: Question): Promise<Answer[]> {
    return Promise.all(backends.map((backend) => this.#askOne(backend, question)));
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #askOne(backend: Backend, { method, target, headers }: Question): Promise<Answer> {
    try {
      const { statusCode, body } = await this.#agent.request({
        origin: backend.url.origin,
        path: forwardedTarget(target, backend.url),
        method,
        headers: { ...headers, host: backend.url.host },
        signal: AbortSignal.timeout(answerMs),
      });
      return { kind: "answered", backend, status: statusCode, body: await body.json() };
    } catch (error) {
      return { kind: "missing", backend, reason: reasonOf(error) };
    }
  }
}

function reasonOf(error: unknown): "unreachable" | "late" | "unreadable" {
  if (error instanceof SyntaxError || error instanceof errors.ResponseExceededMaxSizeError) return "unreadable";
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const isLate = code.endsWith("TIMEOUT") || (error instanceof Error && error.name === "TimeoutError");
  return isLate ? "late" : "unreachable";
}
