// How a publish ended, in words, and what to do about it.
import { formatDuration } from "../arguments/duration.js";
import { describeFileError } from "../arguments/file-error.js";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";
import type { PublishedSoFar, PublishEnd } from "./publish-lines.js";
import { number, rate } from "./publish-progress.js";

/** `published 100,000 events in 1.4 s (71,000/s), seq 1–100000`. */
export function summaryText({ events, duplicates, firstSeq, lastSeq, elapsedMs }: PublishedSoFar): string {
  if (events === 0) return "published no events";
  const what = `${number(events)} ${events === 1 ? "event" : "events"}`;
  const where = firstSeq === lastSeq ? `seq ${firstSeq}` : `seq ${firstSeq}–${lastSeq}`;
  const repeated = duplicates === 0 ? "" : `; ${number(duplicates)} of them had been there already`;
  return `published ${what} in ${formatDuration(elapsedMs)} (${number(rate(events, elapsedMs))}/s), ${where}${repeated}`;
}

/** Where the events came from, and where they went. */
export interface PublishPlace {
  /** The file, or `stdin`. */
  readonly input: string;
  readonly address: string;
  readonly tokenName: string;
}

/** What to throw for an end other than `done`: the problem, what was accepted, how to go on. */
export function endError(
  end: Exclude<PublishEnd, { kind: "done" }>,
  so: PublishedSoFar,
  place: PublishPlace,
): CliError {
  const accepted =
    so.events === 0 ? "Nothing was published." : `${sentence(summaryText(so))} (lines up to ${so.lastLine}).`;
  switch (end.kind) {
    case "bad-line": {
      const field = end.field === undefined ? "" : `${end.field} `;
      return new CliError(`${place.input}, line ${end.line}: ${field}${end.problem}`, {
        exitCode: exitCodes.data,
        hint: `${accepted} Put the line right and go on with --from-line ${end.line}.`,
      });
    }
    case "unreadable":
      return new CliError(`${place.input} ${describeFileError(end.error)}`, {
        exitCode: exitCodes.noInput,
        hint: accepted,
      });
    case "interrupted":
      return new CliError("interrupted", { exitCode: exitCodes.interrupted, hint: accepted + goOn(so) });
    case "gave-up": {
      const doubt = end.mayBeStored ? "\nWhether the request after that was stored is not known." : "";
      return new CliError(`${place.address}: ${end.why}`, {
        exitCode: exitCodes.unavailable,
        hint: accepted + goOn(so) + doubt,
      });
    }
    case "refused":
      return refusal(end, accepted, so, place);
  }
}

function refusal(
  { status, why, line }: Extract<PublishEnd, { kind: "refused" }>,
  accepted: string,
  so: PublishedSoFar,
  { input, address, tokenName }: PublishPlace,
): CliError {
  if (status === 401 || status === 403) {
    const where = line === undefined ? "" : ` (${input}, line ${line})`;
    const hint = `${accepted}\nThe token came from ${tokenName}; publishing needs the scope events:publish (sluice token --publish).`;
    return new CliError(`${address}: ${why}${where}`, { exitCode: exitCodes.noPermission, hint });
  }
  if (line === undefined) return new CliError(`${address}: ${why}`, { exitCode: exitCodes.failure, hint: accepted });
  const hint = accepted + goOn(so);
  return new CliError(`${input}, line ${line}: ${why}`, { exitCode: exitCodes.data, hint });
}

/** Where to go on; nothing when that is the beginning. */
function goOn({ lastLine }: PublishedSoFar): string {
  return lastLine === 0 ? "" : ` Go on with --from-line ${lastLine + 1}.`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
