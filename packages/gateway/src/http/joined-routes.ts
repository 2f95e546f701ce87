// The paths of protocol §8 that are about all connections, wherever they are: every backend is asked, and the answers joined.
// A backend that did not answer is named: nothing is left out in silence.
import { type RequireIdentity, sendProblem } from "@sluice/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Caller } from "../admission/callers.js";
import type { Backend } from "../backends/backend.js";
import type { BackendPool } from "../backends/backend-pool.js";
import type { Answer, EveryBackend } from "./every-backend.js";

export interface JoinedRoutesOptions {
  readonly pool: BackendPool;
  readonly everyBackend: EveryBackend;
  readonly requireAdmin: RequireIdentity<Caller>;
  /** The headers that a backend gets of this request. */
  readonly headersFor: (request: FastifyRequest, caller: Caller) => Promise<Record<string, string>>;
  /** Told of a backend that did not answer. */
  readonly onMissing: (backend: Backend, reason: string) => void;
}

type Answered = Extract<Answer, { kind: "answered" }>;

/** What was found, and whom it is missing from. */
interface Found {
  readonly answered: readonly Answered[];
  /** `host:port` and why. */
  readonly missing: readonly { readonly backend: string; readonly reason: string }[];
}

const ok = 200;
const notFound = 404;

export function registerJoinedRoutes(app: FastifyInstance, options: JoinedRoutesOptions): void {
  const { pool, everyBackend, requireAdmin, headersFor, onMissing } = options;

  /** Undefined when the caller was refused, and then answered. */
  const askAll = async (
    request: FastifyRequest,
    reply: FastifyReply,
    method: "GET" | "DELETE",
  ): Promise<Found | undefined> => {
    const caller = await requireAdmin(request, reply);
    if (caller === undefined) return undefined;
    const headers = await headersFor(request, caller);
    const answers = await everyBackend.ask(pool.known, { method, target: request.raw.url ?? "/", headers });
    const answered: Answered[] = [];
    const missing: { backend: string; reason: string }[] = [];
    for (const answer of answers) {
      const isOf = answer.kind === "answered" && (answer.status === ok || answer.status === notFound);
      if (isOf) answered.push(answer);
      else {
        const reason = answer.kind === "missing" ? answer.reason : `status ${answer.status}`;
        missing.push({ backend: answer.backend.url.host, reason });
        onMissing(answer.backend, reason);
      }
    }
    if (answered.length > 0) return { answered, missing };
    await sendProblem(reply, { name: "unavailable", detail: `No service answered${namesOf(missing)}` });
    return undefined;
  };

  app.get("/api/v1/connections", async (request, reply) => {
    const found = await askAll(request, reply, "GET");
    if (found === undefined) return reply;
    const connections = found.answered.flatMap(({ body, backend }) =>
      listIn(body, "connections").map((connection) => ({ ...connection, backend: backend.url.host })),
    );
    return { connections, unreachable: found.missing };
  });

  app.get("/api/v1/subscriptions", async (request, reply) => {
    const found = await askAll(request, reply, "GET");
    if (found === undefined) return reply;
    const counts = new Map<string, number>();
    for (const { body } of found.answered) {
      for (const { event, connections } of listIn(body, "subscriptions")) {
        counts.set(String(event), (counts.get(String(event)) ?? 0) + Number(connections));
      }
    }
    const subscriptions = [...counts].map(([event, connections]) => ({ event, connections }));
    return {
      subscriptions: subscriptions.sort((a, b) => b.connections - a.connections),
      lanes: sumOf(found.answered, "lanes"),
      unreachable: found.missing,
    };
  });

  app.get("/api/v1/connections/:id", async (request, reply) => {
    const found = await askAll(request, reply, "GET");
    if (found === undefined) return reply;
    const one = found.answered.find(({ status }) => status === ok);
    if (one !== undefined) return { ...objectOf(one.body), backend: one.backend.url.host };
    return sendNotFound(reply, found);
  });

  app.delete("/api/v1/connections/:id", async (request, reply) => {
    const found = await askAll(request, reply, "DELETE");
    if (found === undefined) return reply;
    const closed = sumOf(found.answered, "closed");
    return closed > 0 ? { closed } : sendNotFound(reply, found);
  });

  app.delete("/api/v1/users/:id/connections", async (request, reply) => {
    const found = await askAll(request, reply, "DELETE");
    if (found === undefined) return reply;
    const closed = sumOf(found.answered, "closed");
    if (found.missing.length === 0) return { closed };
    // No success: whoever revokes a user must not believe that it is done.
    return sendProblem(reply, { name: "bad-gateway", detail: `Closed ${closed}${namesOf(found.missing)}` });
  });
}

function sendNotFound(reply: FastifyReply, { missing }: Found): FastifyReply {
  if (missing.length === 0) return sendProblem(reply, { name: "not-found", detail: "No such connection" });
  return sendProblem(reply, {
    name: "bad-gateway",
    detail: `No such connection where it was asked${namesOf(missing)}`,
  });
}

function namesOf(missing: Found["missing"]): string {
  if (missing.length === 0) return "";
  return `; no answer from ${missing.map(({ backend, reason }) => `${backend} (${reason})`).join(", ")}`;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function listIn(body: unknown, name: string): Record<string, unknown>[] {
  const list = objectOf(body)[name];
  return Array.isArray(list) ? list.map((item: unknown) => objectOf(item)) : [];
}

function sumOf(answered: readonly Answered[], name: string): number {
  return answered.reduce((sum, { body }) => {
    const value = objectOf(body)[name];
    return sum + (typeof value === "number" ? value : 0);
  }, 0);
}
