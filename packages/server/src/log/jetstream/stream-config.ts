// What a stream has to be to hold a log: made where it is missing, brought to the limits that are asked for where it is
// there, and refused where it would break a promise.
import { LogError } from "../event-log.js";
import type { RetentionLimits } from "../log-options.js";
import { toNs } from "./jetstream-api.js";
import { eventSubjects } from "./stored-message.js";

/** What is asked of the stream. */
export interface StreamWish {
  readonly name: string;
  /** First token of its subjects. */
  readonly prefix: string;
  readonly replicas: number;
  readonly storage: "file" | "memory";
  readonly retention: RetentionLimits;
  /** How long message ids are remembered, ms. */
  readonly duplicateWindowMs: number;
}

/** A stream's configuration, as far as a log depends on it; names and units are JetStream's. */
export interface StreamConfig {
  readonly name: string;
  readonly description?: string;
  readonly subjects?: readonly string[];
  readonly retention: string;
  readonly discard: string;
  readonly storage: string;
  readonly num_replicas: number;
  readonly max_msgs: number;
  readonly max_msgs_per_subject?: number;
  readonly max_bytes: number;
  readonly max_age: number;
  readonly max_msg_size?: number;
  readonly max_consumers?: number;
  readonly duplicate_window?: number;
  readonly no_ack?: boolean;
  readonly sealed?: boolean;
  readonly mirror?: unknown;
  readonly sources?: unknown;
}

/** JetStream keeps nothing for less than this, ms. */
const ageMsMin = 100;

/** The configuration of a new stream; what retention is asked for is kept exactly as JetStream counts it. */
export function configFor(wish: StreamWish, description: string): StreamConfig {
  return {
    name: wish.name,
    description,
    subjects: [eventSubjects(wish.prefix)],
    retention: "limits",
    discard: "old",
    storage: wish.storage,
    num_replicas: wish.replicas,
    ...limitsFor(wish),
  };
}

/** The part that may be changed on a stream with events in it. */
export function limitsFor({ retention, duplicateWindowMs }: StreamWish) {
  const ageNs = retention.maxAgeMs === null ? 0 : toNs(Math.max(ageMsMin, retention.maxAgeMs));
  const windowNs = toNs(duplicateWindowMs);
  return {
    max_msgs: retention.maxEvents ?? -1,
    max_bytes: retention.maxBytes ?? -1,
    max_age: ageNs,
    // JetStream refuses a window that is longer than the messages are kept.
    duplicate_window: ageNs === 0 ? windowNs : Math.min(windowNs, ageNs),
  };
}

/** What of a stream breaks a promise of the log, in words that say how to mend it. */
export function misfitsOf(config: StreamConfig, wish: StreamWish): string[] {
  const wanted = eventSubjects(wish.prefix);
  const misfits: (string | false)[] = [
    config.subjects?.join() !== wanted &&
      `its subjects are ${config.subjects?.join(", ") ?? "none"} and have to be ${wanted} alone (nats.prefix)`,
    config.retention !== "limits" && `its retention is ${config.retention} and has to be limits: readers come and go`,
    config.discard !== "old" && `it discards ${config.discard} messages and has to discard old ones`,
    config.storage !== wish.storage && `its storage is ${config.storage}, and nats.storage is ${wish.storage}`,
    config.num_replicas < wish.replicas &&
      `it has ${config.num_replicas} replicas, and nats.replicas is ${wish.replicas}: add servers, or edit one of the two`,
    (config.max_msgs_per_subject ?? -1) > 0 && "it limits messages per subject, which makes holes in the log",
    (config.max_msg_size ?? -1) > 0 && "it limits the size of a message; the limit is nats-server's max_payload",
    config.no_ack === true && "it acknowledges nothing (no_ack)",
    config.sealed === true && "it is sealed",
    (config.mirror !== undefined || config.sources !== undefined) && "it copies from other streams (mirror, sources)",
  ];
  return misfits.filter((misfit) => misfit !== false);
}

/** The refusal of a stream that does not fit. */
export function misfitError(name: string, misfits: readonly string[]): LogError {
  const list = misfits.join("; ");
  return new LogError(
    "LOG_FORMAT",
    `the stream ${name} can't hold this log: ${list}. Use another nats.stream, or edit it`,
  );
}

/** Whether the limits of a stream are other than asked for. */
export function haveLimitsChanged(config: StreamConfig, wish: StreamWish): boolean {
  return Object.entries(limitsFor(wish)).some(([key, value]) => {
    const now = config[key as keyof ReturnType<typeof limitsFor>];
    // JetStream shows "unlimited" as -1 for counts and 0 for times.
    return now !== value;
  });
}
