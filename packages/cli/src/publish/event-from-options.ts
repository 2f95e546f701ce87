// One event from the options of the command line.
import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { parsePublishedEvent } from "@sluice/protocol";
import { describeFileError } from "../arguments/file-error.js";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";

/** The options of one event. */
export interface EventOptions {
  readonly event?: string;
  readonly cluster?: string;
  readonly payload?: string;
  readonly id?: string;
  readonly source?: string;
  readonly subject?: string;
  readonly timestamp?: string;
}

/** The option that each member of an event comes from. */
const optionNames: Readonly<Record<string, string>> = {
  event_type: "--event",
  cluster_id: "--cluster",
  event_id: "--id",
  payload: "--payload",
  timestamp: "--timestamp",
  source: "--source",
  subject: "--subject",
};

/** Options that only say something about a single event. */
export const singleEventOptions = ["cluster", "payload", "id", "source", "subject", "timestamp"] as const;

/** Largest payload that is read from a file or stdin, bytes; the service's own limit is lower. */
const payloadFileBytesMax = 16_777_216;

/**
 * The event's JSON, always with an `event_id`, and that id. `--payload @file` and `--payload @-` (stdin) are read.
 * @throws {CliError} naming the option that is wrong.
 */
export async function eventFromOptions(
  options: EventOptions,
  stdin: Readable,
): Promise<{ readonly json: string; readonly eventId: string }> {
  const payload = await readPayload(options.payload, stdin);
  const event = {
    event_type: options.event,
    cluster_id: options.cluster,
    event_id: options.id,
    timestamp: options.timestamp,
    source: options.source,
    subject: options.subject,
    payload,
  };
  const rules = { payloadBytesMax: Number.POSITIVE_INFINITY, receivedAt: new Date(0).toISOString() };
  const parsed = parsePublishedEvent(event, rules);
  if (!parsed.ok) {
    const option = optionNames[parsed.field ?? ""] ?? parsed.field ?? "the event";
    throw new CliError(`${option} ${parsed.problem}`, { exitCode: exitCodes.usage });
  }
  const { eventId } = parsed.event;
  return { json: JSON.stringify({ ...event, event_id: eventId }), eventId };
}

async function readPayload(text: string | undefined, stdin: Readable): Promise<unknown> {
  if (text === undefined) {
    const hint = `For an event without one: --payload null`;
    throw new CliError("--payload is missing", { exitCode: exitCodes.usage, hint });
  }
  const json = text.startsWith("@") ? await readSource(text.slice(1), stdin) : text;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    const hint = `A text is JSON only in double quotes: --payload '"text"'`;
    const name = text.startsWith("@") ? `the payload in ${text.slice(1)}` : "--payload";
    throw new CliError(`${name} is not JSON`, { exitCode: exitCodes.usage, hint });
  }
}

async function readSource(path: string, stdin: Readable): Promise<string> {
  try {
    const bytes = path === "-" ? await readAll(stdin) : await readFile(path);
    if (bytes.length <= payloadFileBytesMax) return bytes.toString("utf8");
  } catch (error) {
    throw new CliError(`the payload file ${path} ${describeFileError(error)}`, {
      exitCode: exitCodes.noInput,
      cause: error,
    });
  }
  throw new CliError(`the payload file ${path} is larger than 16 MiB`, { exitCode: exitCodes.data });
}

async function readAll(stdin: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > payloadFileBytesMax) break;
  }
  return Buffer.concat(chunks);
}
