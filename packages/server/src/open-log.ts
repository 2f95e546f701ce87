// Opens the engine that the settings name.

import type { Clock, Settings } from "@sluice/runtime";
import type { NatsConnection } from "@nats-io/transport-node";
import { openEmbeddedLog } from "./log/embedded-log.js";
import { LogError, type EventLog } from "./log/event-log.js";
import { openJetStreamLog } from "./log/jetstream/jetstream-log.js";
import type { CommitReport } from "./log/log-options.js";
import { createMemoryLog } from "./log/memory-log.js";

/** What a log is opened with. */
export interface OpenLogOptions {
  readonly settings: Pick<Settings, "log" | "nats" | "limits">;
  readonly clock: Clock;
  /** The connection of the `jetstream` engine, which stays its caller's to close. */
  readonly nats?: NatsConnection | undefined;
  readonly onError: (error: Error) => void;
  readonly onCommit: (report: CommitReport) => void;
  /** Told when a log on other machines is out of reach, and when it is in reach again. */
  readonly onReachable?: (isReachable: boolean) => void;
  /** Events up to this seq were let go before this node had them. */
  readonly onHole?: (toSeq: number) => void;
  /** Told of what an operator may want to know. */
  readonly onNotice?: (notice: string) => void;
}

/** What an event's fields may take beside its payload, bytes: names, ids, times, and their words. */
const fieldsOverheadBytes = 4096;

/**
 * Opens the log of the settings; the caller closes it.
 * @throws {LogError} as the engine; `LOG_FORMAT` where it does not take events as large as `limits.payload_bytes`.
 */
export async function openLog({ settings, clock, nats, ...listeners }: OpenLogOptions): Promise<EventLog> {
  const { engine, dir, retention, dedup } = settings.log;
  const options = {
    clock,
    ...listeners,
    retention: { maxEvents: retention.max_events, maxAgeMs: retention.max_age_ms, maxBytes: retention.max_bytes },
    dedup: { windowMs: dedup.window_ms, maxIds: dedup.max_ids },
  };
  if (engine === "memory") return createMemoryLog(options);
  if (engine === "embedded") return openEmbeddedLog({ ...options, dir });
  if (nats === undefined) throw new Error("the engine jetstream needs a connection to NATS");
  const { stream, prefix, replicas, storage, publish_retry_ms: publishRetryMs } = settings.nats;
  const log = await openJetStreamLog({ ...options, nats, stream, prefix, replicas, storage, publishRetryMs });
  const wanted = settings.limits.payload_bytes + fieldsOverheadBytes;
  if (log.eventBytesMax >= wanted) return log;
  await log.close();
  const more = wanted - log.eventBytesMax;
  const mend = `raise max_payload of nats-server by ${more} bytes`;
  throw new LogError("LOG_FORMAT", `NATS takes no events of limits.payload_bytes: ${mend}, or lower the limit`);
}
