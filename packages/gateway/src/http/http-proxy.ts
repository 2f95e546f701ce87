// The HTTP interface of the services (protocol §8), Server-Sent Events too, through the door: authenticated here, carried by
// undici with backpressure both ways.
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ByteBudget, type Clock, type Problem, type RequireIdentity, sendProblem } from "@sluice/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Agent } from "undici";
import type { Caller } from "../admission/callers.js";
import type { DoorRules } from "../admission/door-rules.js";
import type { Backend } from "../backends/backend.js";
import type { BackendPool } from "../backends/backend-pool.js";
import type { GatewayTally } from "../gateway-tally.js";
import { forwardedHeaders, httpHeaders } from "../handshake/forwarded-headers.js";
import { forwardedTarget } from "../handshake/forwarded-target.js";
import { BodyTooLargeError, boundedBody } from "./bounded-body.js";
import { type GatheredBody, gatherBody } from "./gathered-body.js";

/** How long a backend may take to accept a connection, ms. */
const connectMs = 3_000;
/** How long it may take to begin its answer, ms: the largest publish on a busy disk. */
const headersMs = 60_000;
/** How long an answer that has begun may be silent, ms; longer than any heartbeat of a stream. */
const silenceMs = 300_000;
const triesMax = 3;
/** A body up to this size is taken whole before a backend hears of it, bytes. */
const gatheredBytesMax = 65_536;
/** The same for all requests together; past it bodies go on as they come. */
const gatheredBytesInAllMax = 16 * 1_048_576;

export interface HttpProxyOptions {
  readonly clock: Clock;
  readonly pool: BackendPool;
  readonly tally: GatewayTally;
  readonly rules: () => DoorRules;
  readonly requireIdentity: RequireIdentity<Caller>;
  readonly authorizationFor: (caller: Caller) => Promise<string | undefined>;
  /** `limits.publish_body_bytes`. */
  readonly bodyBytesMax: number;
  readonly onBackendFailure: (backend: Backend, failure: string) => void;
}

/** A request as every backend that is tried gets it. */
interface Forwarded {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly headers: Record<string, string>;
  /** Undefined where there is none. */
  readonly body: GatheredBody | undefined;
  readonly signal: AbortSignal;
}

/** What came of one backend: an answer, or what to say unless another backend has one. */
type Outcome = "answered" | { readonly problem: Problem; readonly mayAskAnother: boolean };

/** RFC 9110 §7.6.1, and what this door says itself. */
const notPassedBack =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|access-control-.*|vary)$/;
/** No `TRACE`, which answers with what it was sent: a token of the gateway's own may be in it (RFC 9110 §9.3.8). */
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/** They may be asked again (RFC 9110 §9.2.1): a backend that was lost with one of them has changed nothing by it. */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
const noBytes = Buffer.alloc(0);

const noBackend: Problem = { name: "unavailable", detail: "No backend is available", headers: { "retry-after": "1" } };
const lostBackend: Problem = { name: "bad-gateway", detail: "The service behind the gateway was lost in the middle" };

export class HttpProxy {
  readonly #options: HttpProxyOptions;
  readonly #gathering = new ByteBudget(gatheredBytesInAllMax);
  readonly #agent = new Agent({ connect: { timeout: connectMs }, headersTimeout: headersMs, bodyTimeout: silenceMs });

  constructor(options: HttpProxyOptions) {
    this.#options = options;
  }

  register(app: FastifyInstance): void {
    app.route({ method: methods, url: "/api/v1/*", handler: (request, reply) => this.#handle(request, reply) });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** What a backend gets of a request's headers, and who it is told that asks. */
  async headersFor(request: FastifyRequest, caller: Caller): Promise<Record<string, string>> {
    const { rules, authorizationFor } = this.#options;
    return forwardedHeaders(request.raw, httpHeaders, {
      clientAddress: rules().clientAddress(request.raw),
      isTls: "encrypted" in request.raw.socket,
      authorization: await authorizationFor(caller),
    });
  }

  async #handle(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { bodyBytesMax, requireIdentity } = this.#options;
    const caller = await requireIdentity(request, reply);
    if (caller === undefined) return reply;
    if (Number(request.headers["content-length"] ?? 0) > bodyBytesMax)
      return sendProblem(reply, tooLarge(bodyBytesMax));
    const abort = new AbortController();
    reply.raw.once("close", () => abort.abort());
    const headers = await this.headersFor(request, caller);
    if (!hasBody(request.raw)) {
      delete headers["content-length"];
      return this.#forward({ request, reply, headers, body: undefined, signal: abort.signal });
    }
    // Nobody is asked for a body, nor waited for, that could not go anywhere.
    if (this.#options.pool.available === 0) return this.#refuse(reply, noBackend);
    if (expectsContinue(request.raw)) reply.raw.writeContinue();
    await this.#forwardGathered({ request, reply, headers, signal: abort.signal });
    return reply;
  }

  /** With its body; nothing when the caller goes before that is there. */
  async #forwardGathered(forwarded: Omit<Forwarded, "body">): Promise<void> {
    const bytesMax = Math.min(gatheredBytesMax, this.#options.bodyBytesMax);
    using body = await gatherBody(forwarded.request.raw, bytesMax, this.#gathering);
    if (body !== undefined) await this.#forward({ ...forwarded, body });
  }

  async #forward(forwarded: Forwarded): Promise<unknown> {
    const { pool, tally } = this.#options;
    const { reply } = forwarded;
    const tried = new Set<Backend>();
    let answer = noBackend;
    while (tried.size < triesMax) {
      const backend = pool.choose(tried);
      if (backend === undefined) break;
      if (tried.size > 0) tally.retries += 1;
      tried.add(backend);
      const outcome = await this.#try(backend, forwarded);
      if (outcome === "answered") return reply;
      if (!outcome.mayAskAnother) return sendProblem(reply, outcome.problem);
      answer = outcome.problem;
    }
    return this.#refuse(reply, answer);
  }

  #refuse(reply: FastifyReply, problem: Problem): FastifyReply {
    this.#options.tally.refused.add("no-backend");
    return sendProblem(reply, problem);
  }

  async #try(backend: Backend, forwarded: Forwarded): Promise<Outcome> {
    const { reply, body, signal } = forwarded;
    const { method } = forwarded.request;
    backend.connections += 1;
    try {
      await this.#exchange(backend, forwarded);
      return "answered";
    } catch (error) {
      if (signal.aborted || reply.raw.headersSent) {
        reply.raw.destroy();
        return "answered";
      }
      if (error instanceof BodyTooLargeError) {
        return { problem: tooLarge(this.#options.bodyBytesMax), mayAskAnother: false };
      }
      const failure = kindOf(error);
      this.#options.tally.backendErrors.add(failure);
      backend.failed(this.#options.clock.now());
      this.#options.onBackendFailure(backend, failure);
      // Where undici has begun to read a body there is none for another backend.
      const hasAll = body?.isWhole !== false;
      if (failure === "connect") return { problem: noBackend, mayAskAnother: hasAll };
      const mayAskAnother = failure === "protocol" && hasAll && safeMethods.has(method);
      return { problem: lostBackend, mayAskAnother };
    } finally {
      backend.connections -= 1;
    }
  }

  async #exchange(backend: Backend, { request, reply, headers, body, signal }: Forwarded): Promise<void> {
    this.#options.tally.requests += 1;
    const response = await this.#agent.request({
      origin: backend.url.origin,
      path: forwardedTarget(request.raw.url ?? "/", backend.url),
      method: request.method,
      headers: { ...headers, host: backend.url.host },
      body: body === undefined ? null : this.#bodyFor(request.raw, body),
      signal,
    });
    backend.succeeded();
    const own = Object.fromEntries(Object.entries(reply.getHeaders()).filter(([, value]) => value !== undefined));
    reply.raw.writeHead(response.statusCode, { ...passedBack(response.headers), ...own });
    reply.hijack();
    // At once: a stream of events may have none for a while. `flushHeaders` would write bytes over 127 as two.
    reply.raw.write(noBytes);
    await pipeline(response.body, reply.raw);
  }

  #bodyFor(source: IncomingMessage, { bytes, isWhole }: GatheredBody): Buffer | Readable {
    return isWhole ? bytes : boundedBody(source, this.#options.bodyBytesMax, bytes);
  }
}

function hasBody({ method, headers }: IncomingMessage): boolean {
  if (method === "GET" || method === "HEAD") return false;
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** RFC 9110 §10.1.1: what says HTTP/1.0 doesn't. Any other expectation Node has refused. */
function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect !== undefined && httpVersion === "1.1";
}

function passedBack(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const nominated = new Set((headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !notPassedBack.test(name) && !nominated.has(name)) passed[name] = value;
  }
  return passed;
}

function tooLarge(allowed: number): Problem {
  return {
    name: "body-too-large",
    detail: "The body is larger than the gateway takes",
    allowed,
    headers: { connection: "close" },
  };
}

const connectCodes = new Set([
  "ECONNREFUSED",
  "UND_ERR_CONNECT_TIMEOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

function kindOf(error: unknown): "connect" | "timeout" | "protocol" {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (connectCodes.has(code)) return "connect";
  return code.endsWith("TIMEOUT") ? "timeout" : "protocol";
}
