// Finds the stream of a log, or makes it.
import { hash, randomUUID } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import { LogError } from "../event-log.js";
import { apiErrors, askJetStream, isOutOfStorage, JetStreamApiError, retry } from "./jetstream-api.js";
import {
  configFor,
  haveLimitsChanged,
  limitsFor,
  misfitError,
  misfitsOf,
  type StreamConfig,
  type StreamWish,
} from "./stream-config.js";

/** A stream as JetStream tells of it. */
export interface StreamInfo {
  readonly config: StreamConfig;
  /** When it was made; another time is another stream. */
  readonly created: string;
  readonly state: {
    readonly messages: number;
    readonly bytes: number;
    readonly first_seq: number;
    readonly last_seq: number;
  };
  readonly cluster?: { readonly leader?: string; readonly replicas?: readonly { readonly current: boolean }[] };
}

/** A stream may take this long to be made or found, ms: a cluster elects leaders first. */
const openMs = 5000;
const infoMs = 2000;
const epochMark = /\bepoch=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/;

/** What is written into a stream's description, so that its epoch can be told, and is carried over by a copy. */
export function describeStream(epoch: string): string {
  return `Events of Sluice; epoch=${epoch}`;
}

/** Identity of a stream: the epoch its description names, or one made of its name and the time it was made. */
export function epochOf({ config, created }: Pick<StreamInfo, "config" | "created">): string {
  const named = epochMark.exec(config.description ?? "")?.[1];
  if (named !== undefined) return named;
  const digest = hash("sha256", `${config.name}\n${created}`, "hex");
  // A UUID in form: 8-4-4-4-12 digits.
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([from, to]) => digest.slice(from, to))
    .join("-");
}

/** Asks the stream's leader. @throws {JetStreamApiError}, or the client's errors where nobody answers. */
export function streamInfo(nats: NatsConnection, name: string, timeoutMs = infoMs): Promise<StreamInfo> {
  return askJetStream<StreamInfo>(nats, `STREAM.INFO.${name}`, {}, timeoutMs);
}

/**
 * The stream that is wished for, made if it is not there, with its limits as asked for.
 *
 * @param onChange told of what was changed on a stream that was there
 * @throws {LogError} `LOG_FORMAT` where it does not fit, saying how; `LOG_FULL` where JetStream has not the room that
 *   retention may take, which it reserves; `LOG_UNREACHABLE` where JetStream does not answer, is not enabled, or can't
 *   make it.
 */
export async function openStream(
  nats: NatsConnection,
  wish: StreamWish,
  onChange: (change: string) => void,
): Promise<StreamInfo> {
  try {
    return await retry(
      () => findOrMake(nats, wish, onChange),
      (error) => error instanceof LogError || isOutOfStorage(error),
    );
  } catch (cause) {
    if (cause instanceof LogError) throw cause;
    if (isOutOfStorage(cause)) throw noRoomError(wish, cause);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LogError("LOG_UNREACHABLE", `JetStream has no stream ${wish.name} for the log: ${why}`, { cause });
  }
}

function noRoomError({ name, storage, retention }: StreamWish, cause: unknown): LogError {
  const bytes = retention.maxBytes === null ? "room" : `${retention.maxBytes} bytes (log.retention.max_bytes)`;
  const limit = storage === "file" ? "max_file_store" : "max_memory_store";
  return new LogError(
    "LOG_FULL",
    `JetStream can't reserve ${bytes} for the stream ${name}: the other streams leave too little of its ${limit}. ` +
      `Lower log.retention.max_bytes, raise ${limit} at every nats-server, or delete streams that nobody needs`,
    { cause },
  );
}

async function findOrMake(
  nats: NatsConnection,
  wish: StreamWish,
  onChange: (change: string) => void,
): Promise<StreamInfo> {
  const found = await findStream(nats, wish.name);
  if (found === undefined) {
    const config = configFor(wish, describeStream(randomUUID()));
    return askJetStream<StreamInfo>(nats, `STREAM.CREATE.${wish.name}`, config, openMs);
  }
  const misfits = misfitsOf(found.config, wish);
  if (misfits.length > 0) throw misfitError(wish.name, misfits);
  if (!haveLimitsChanged(found.config, wish)) return found;
  onChange(`the limits of the stream ${wish.name} are set to log.retention and log.dedup.window_ms`);
  const config = { ...found.config, ...limitsFor(wish) };
  return askJetStream<StreamInfo>(nats, `STREAM.UPDATE.${wish.name}`, config, openMs);
}

/** The stream, or undefined where there is none. */
export async function findStream(nats: NatsConnection, name: string): Promise<StreamInfo | undefined> {
  try {
    return await streamInfo(nats, name, openMs);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === apiErrors.streamNotFound) return undefined;
    throw error;
  }
}
