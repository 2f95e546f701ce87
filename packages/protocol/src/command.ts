// What a client can say (protocol §2, §3, §6), and the strict reading of it. Pure: says what is wrong, does nothing.

import type { ErrorCode } from "./error-codes.js";
import { isName, isPattern, nameGrammar } from "./names.js";

/** Most event names or patterns in one `subscribe` or `unsubscribe`. */
export const patternsPerCommandMax = 100;
/** Most clusters in one `subscribe`; more is a matter for `[]` (all) or for several commands. */
export const clustersPerCommandMax = 1000;
/** Longest `id` a client can give a command, characters. */
export const commandIdLengthMax = 128;

export interface SubscribeCommand {
  readonly type: "subscribe";
  readonly id: string | undefined;
  /** 1 to 100 names or trailing-`*` patterns, each once, in the order given. */
  readonly events: readonly string[];
  /** Cluster names, each once; empty means all that the bearer may see. */
  readonly clusters: readonly string[];
  /** Replay every retained match with a greater seq first. */
  readonly since: number | undefined;
  /** The log that `since` was taken from. */
  readonly epoch: string | undefined;
}

export interface UnsubscribeCommand {
  readonly type: "unsubscribe";
  readonly id: string | undefined;
  readonly events: readonly string[];
}

export interface PingCommand {
  readonly type: "ping";
  /** Sent back as it came: a string, a finite number, or nothing. */
  readonly timestamp: string | number | undefined;
}

export interface PongCommand {
  readonly type: "pong";
}

export interface RefreshCommand {
  readonly type: "refresh";
  readonly id: string | undefined;
  readonly token: string;
}

export type Command = SubscribeCommand | UnsubscribeCommand | PingCommand | PongCommand | RefreshCommand;

/** Why a message is no command; becomes an `error` frame, the connection lives on. */
export interface CommandProblem {
  readonly code: ErrorCode;
  /** The command's own id, where it could be read. */
  readonly id: string | undefined;
  /** Names the field, what was wrong, and what is allowed. */
  readonly message: string;
}

export type DecodedCommand =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly problem: CommandProblem };

const commandTypes = ["subscribe", "unsubscribe", "ping", "pong", "refresh"] as const;
const timestampLengthMax = 64;

type Fields = Readonly<Record<string, unknown>>;

function refuse(code: ErrorCode, id: string | undefined, message: string): DecodedCommand {
  return { ok: false, problem: { code, id, message } };
}

/** Reads one text message. Unknown fields are ignored; the size bound is the transport's. */
export function decodeCommand(text: string): DecodedCommand {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("INVALID_MESSAGE", undefined, "the message is not JSON; send one JSON object a frame");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse("INVALID_MESSAGE", undefined, "the message is not a JSON object");
  }
  const fields = value as Fields;
  const id = fields["id"];
  if (id !== undefined && id !== null && (typeof id !== "string" || id.length > commandIdLengthMax)) {
    return refuse("INVALID_MESSAGE", undefined, `"id" must be a string of at most ${commandIdLengthMax} characters`);
  }
  return decodeFields(fields, id ?? undefined);
}

function decodeFields(fields: Fields, id: string | undefined): DecodedCommand {
  const type = fields["type"];
  switch (type) {
    case "subscribe":
      return decodeSubscribe(fields, id);
    case "unsubscribe": {
      const events = readPatterns(fields["events"]);
      if (typeof events === "string") return refuse("INVALID_SUBSCRIPTION", id, events);
      return { ok: true, command: { type, id, events } };
    }
    case "ping":
      return decodePing(fields, id);
    case "pong":
      return { ok: true, command: { type } };
    case "refresh": {
      const token = fields["token"];
      if (typeof token !== "string" || token === "") {
        return refuse("INVALID_MESSAGE", id, '"token" must be a non-empty string');
      }
      return { ok: true, command: { type, id, token } };
    }
    default:
      if (typeof type !== "string") return refuse("INVALID_MESSAGE", id, '"type" must be a string');
      return refuse("UNKNOWN_MESSAGE_TYPE", id, `"type" must be one of ${commandTypes.join(", ")}`);
  }
}

function decodePing(fields: Fields, id: string | undefined): DecodedCommand {
  const timestamp = fields["timestamp"] ?? undefined;
  const fits =
    timestamp === undefined ||
    (typeof timestamp === "string" && timestamp.length <= timestampLengthMax) ||
    (typeof timestamp === "number" && Number.isFinite(timestamp));
  if (!fits) {
    return refuse(
      "INVALID_MESSAGE",
      id,
      `"timestamp" must be a number or a string of at most ${timestampLengthMax} characters`,
    );
  }
  return { ok: true, command: { type: "ping", timestamp } };
}

function decodeSubscribe(fields: Fields, id: string | undefined): DecodedCommand {
  const events = readPatterns(fields["events"]);
  if (typeof events === "string") return refuse("INVALID_SUBSCRIPTION", id, events);
  const clusters = readClusters(fields["clusters"]);
  if (typeof clusters === "string") return refuse("INVALID_SUBSCRIPTION", id, clusters);
  const since = fields["since"] ?? undefined;
  if (since !== undefined && !(Number.isSafeInteger(since) && (since as number) >= 0)) {
    return refuse("INVALID_SUBSCRIPTION", id, '"since" must be an integer from 0 to 2^53 - 1');
  }
  const epoch = fields["epoch"] ?? undefined;
  if (epoch !== undefined && (typeof epoch !== "string" || epoch.length > commandIdLengthMax)) {
    return refuse("INVALID_SUBSCRIPTION", id, '"epoch" must be the string that "connected" gave');
  }
  return { ok: true, command: { type: "subscribe", id, events, clusters, since: since as number | undefined, epoch } };
}

/** The patterns, each once, or what is wrong with them. */
function readPatterns(value: unknown): readonly string[] | string {
  if (!Array.isArray(value) || value.length === 0 || value.length > patternsPerCommandMax) {
    return `"events" must be an array of 1 to ${patternsPerCommandMax} event names or patterns`;
  }
  const bad = value.findIndex((item) => !isPattern(item));
  if (bad !== -1) return `"events[${bad}]" must be a name (${nameGrammar}), a name with a trailing *, or *`;
  return [...new Set(value as string[])];
}

/** The clusters, each once, or what is wrong with them. */
function readClusters(value: unknown): readonly string[] | string {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > clustersPerCommandMax) {
    return `"clusters" must be an array of at most ${clustersPerCommandMax} cluster names; [] means all`;
  }
  const bad = value.findIndex((item) => !isName(item));
  if (bad !== -1) return `"clusters[${bad}]" must be a name (${nameGrammar})`;
  return [...new Set(value as string[])];
}
