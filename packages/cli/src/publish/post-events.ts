// One `POST /api/v1/events`, and what its answer means.
import { Agent, request } from "undici";
import { problemDetail, readRetryAfter } from "../stream/handshake-refusal.js";
import { describeNetworkError, networkErrorCode } from "../stream/network-error.js";

/** Where and as whom to publish. */
export interface PublishTarget {
  /** `…/api/v1/events`. */
  readonly url: URL;
  readonly token: string | undefined;
}

/** What a request came to. */
export type PostOutcome =
  | {
      readonly kind: "accepted";
      readonly accepted: number;
      readonly firstSeq: number;
      readonly lastSeq: number;
      readonly duplicates: number;
    }
  /** Worth another try: the service may take it later. `mayBeStored`: it is not known that nothing was stored. */
  | {
      readonly kind: "unavailable";
      readonly why: string;
      readonly retryAfterMs: number | undefined;
      readonly mayBeStored: boolean;
    }
  /** More than the service takes at a time; nothing was stored. */
  | { readonly kind: "too-large"; readonly why: string }
  /** No use trying again; nothing was stored. */
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly why: string;
      /** Which event of the batch, from 0, where the service says so. */
      readonly index: number | undefined;
    };

/** Longest wait for an answer, ms: a commit takes milliseconds, a busy disk seconds. */
const answerMaxMs = 30_000;
/** Longest wait for a connection, ms. */
const connectMaxMs = 10_000;

/** One connection, since one request is under way at a time. Unlike `fetch` it knows no forbidden ports. */
const agent = new Agent({
  connections: 1,
  connectTimeout: connectMaxMs,
  headersTimeout: answerMaxMs,
  bodyTimeout: answerMaxMs,
});

const tooLargeProblems = new Set(["urn:sluice:problem:body-too-large", "urn:sluice:problem:batch-too-large"]);
const againStatuses = new Set([408, 425, 429, 500, 502, 503, 504, 507]);
/** Of these, the refusals before anything is done (`problemTypes`). */
const nothingStored = new Set([408, 425, 429, 503, 507]);
/** The connection was never made. */
const neverSent = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Counts within the request; our reader thinks in lines of a file. */
const eventPrefix = /^Event \d+(?: \(line \d+\))?: /;

/** Sends `body` as NDJSON over a connection that is kept. Never throws for what the network or the service does. */
export async function postEvents({ url, token }: PublishTarget, body: string): Promise<PostOutcome> {
  try {
    const response = await request(url, {
      method: "POST",
      headers: {
        "content-type": "application/x-ndjson",
        accept: "application/json, application/problem+json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body,
      dispatcher: agent,
    });
    const text = await response.body.text();
    const retryAfter = response.headers["retry-after"];
    return readAnswer(response.statusCode, typeof retryAfter === "string" ? retryAfter : undefined, text);
  } catch (error) {
    const mayBeStored = !neverSent.has(networkErrorCode(error) ?? "");
    return { kind: "unavailable", why: describeNetworkError(error), retryAfterMs: undefined, mayBeStored };
  }
}

/** What an answer means; `text` is its body. */
export function readAnswer(status: number, retryAfter: string | undefined, text: string): PostOutcome {
  const members = readMembers(text);
  if (status === 202) return readAccepted(members);
  const said = problemDetail(text);
  const why = `${said?.replace(eventPrefix, "") ?? "the service refused the events"} (HTTP ${status})`;
  if (typeof members["type"] === "string" && tooLargeProblems.has(members["type"])) return { kind: "too-large", why };
  if (againStatuses.has(status)) {
    const mayBeStored = !nothingStored.has(status);
    return { kind: "unavailable", why, retryAfterMs: readRetryAfter(retryAfter), mayBeStored };
  }
  if (status === 404 && said === undefined) {
    return { kind: "refused", status, why: "there is no Sluice at this address (HTTP 404)", index: undefined };
  }
  const { index } = members;
  return { kind: "refused", status, why, index: Number.isSafeInteger(index) ? (index as number) : undefined };
}

function readAccepted({ accepted, first_seq, last_seq, duplicates }: Readonly<Record<string, unknown>>): PostOutcome {
  if (!isCount(accepted) || !isCount(first_seq) || !isCount(last_seq)) {
    return { kind: "refused", status: 202, why: "the answer is not that of a Sluice service", index: undefined };
  }
  const repeats = isCount(duplicates) ? duplicates : 0;
  return { kind: "accepted", accepted, firstSeq: first_seq, lastSeq: last_seq, duplicates: repeats };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readMembers(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
