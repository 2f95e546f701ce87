// What became of a request to publish, as the command line tells it.
import { type NewEvent, type Published, type Sluice, SluiceError } from "@sluice/client";
import { describeNetworkError, networkErrorCode } from "../connection/network-error.js";
import { problemDetail } from "../connection/problem-detail.js";

/** What a request came to. */
export type PostOutcome =
  | {
      readonly kind: "accepted";
      readonly accepted: number;
      readonly firstSeq: number;
      readonly lastSeq: number;
      readonly duplicates: number;
    }
  /** The client was closed meanwhile. */
  | { readonly kind: "interrupted" }
  /** The service was away for too long. `mayBeStored`: it is not known that the last try stored nothing. */
  | { readonly kind: "unavailable"; readonly why: string; readonly mayBeStored: boolean }
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

const tooLargeProblems = new Set(["urn:sluice:problem:body-too-large", "urn:sluice:problem:batch-too-large"]);
/** Refusals before anything is done (`problemTypes`). */
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

/** Publishes through the client, in one request. Never throws for what the network or the service does. */
export async function post(sluice: Sluice, texts: readonly string[]): Promise<PostOutcome> {
  try {
    return accepted(await sluice.publish(texts.map((text) => JSON.parse(text) as NewEvent)));
  } catch (error) {
    if (error instanceof SluiceError) return readFailure(error);
    throw error;
  }
}

function accepted({ accepted, first_seq: firstSeq, last_seq: lastSeq, duplicates }: Published): PostOutcome {
  return { kind: "accepted", accepted, firstSeq, lastSeq, duplicates };
}

/** What an error of the client's `publish` means. */
export function readFailure(error: SluiceError): PostOutcome {
  const { code, status = 0, problem } = error;
  const why = describeFailure(error);
  if (code === "CLOSED") return { kind: "interrupted" };
  if (code === "UNAVAILABLE") return { kind: "unavailable", why, mayBeStored: mayBeStored(error) };
  if (tooLargeProblems.has(String(problem?.["type"]))) return { kind: "too-large", why };
  const index = problem?.["index"];
  return { kind: "refused", status, why, index: Number.isSafeInteger(index) ? (index as number) : undefined };
}

/** A failed try in words. */
export function describeFailure({ status, problem, cause, message }: SluiceError): string {
  if (status === undefined) return cause instanceof Error ? describeNetworkError(cause) : message;
  const said = problemDetail(problem)?.replace(eventPrefix, "");
  const otherwise = status === 404 ? "there is no Sluice at this address" : "the service refused the events";
  return `${said ?? otherwise} (HTTP ${status})`;
}

/** Whether it is not known that a failed try stored nothing. */
export function mayBeStored({ status, cause }: SluiceError): boolean {
  return status === undefined ? !neverSent.has(networkErrorCode(cause) ?? "") : !nothingStored.has(status);
}
