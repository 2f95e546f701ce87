// What a refused HTTP request is answered with: problem details (RFC 9457), from the one table.
import { problemTypes, problemTypeUri, type ProblemName } from "@sluice/protocol";
import type { FastifyReply } from "fastify";

/** Where a problem lies and what would do; each member is there only when it says something. */
export interface ProblemMembers {
  /** Which event of the body, from 0. */
  readonly index?: number | undefined;
  /** Which line of an NDJSON body, from 1. */
  readonly line?: number | undefined;
  /** Which field, header or parameter. */
  readonly field?: string | undefined;
  /** What is allowed: a number for limits, a list for choices. */
  readonly allowed?: number | readonly string[] | undefined;
  /** Which scope is missing. */
  readonly scope?: string | undefined;
}

/** One refusal. */
export interface Problem extends ProblemMembers {
  readonly name: ProblemName;
  /** One sentence about this occurrence, of our own words: never an exception's text, never a secret. */
  readonly detail: string;
  /** Response headers that belong to it, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** RFC 9457 §3. */
export const problemMediaType = "application/problem+json";

/** The JSON text of a problem: `type`, `title`, `status`, `detail`, then its members. */
export function encodeProblem(problem: Problem): string {
  const { name, detail, index, line, field, allowed, scope } = problem;
  const { status, title } = problemTypes[name];
  return JSON.stringify({ type: problemTypeUri(name), title, status, detail, index, line, field, allowed, scope });
}

/** Answers with a problem: its status, its headers, its text. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  // Bytes, because fastify adds a charset to the type of a text, and this media type has no such parameter.
  return reply
    .code(problemTypes[problem.name].status)
    .headers({ ...problem.headers })
    .header("content-type", problemMediaType)
    .send(Buffer.from(encodeProblem(problem)));
}
