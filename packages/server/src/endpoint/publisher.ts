// Puts events into the log: for the HTTP route, which has them checked already, and for callers in this process.
import { parsePublishedEvent } from "@sluice/protocol";
import { ByteBudget, type Clock, type Problem } from "@sluice/runtime";
import { pendingBytes } from "../log/append-queue.js";
import { LogError, type EventDraft, type EventLog } from "../log/event-log.js";
import { fieldsLengthOf } from "../log/packed-event.js";
import { batchProblem, draftOf, eventProblem, eventRulesOf } from "./publish-draft.js";
import type { PublishLimits } from "./publish-limits.js";

/** Why the log did not take events; nothing was stored, or with `LOG_UNREACHABLE` perhaps some of them. */
export type LogRefusal = "LOG_FULL" | "LOG_BUSY" | "LOG_FAILED" | "LOG_CLOSED" | "LOG_UNREACHABLE";

/** What handing drafts to the log came to. */
export type CommitOutcome =
  | {
      readonly outcome: "accepted";
      /** Events that were accepted, duplicates among them. */
      readonly accepted: number;
      readonly firstSeq: number;
      readonly lastSeq: number;
      /** How many were in the log already and were not stored again. */
      readonly duplicates: number;
    }
  | { readonly outcome: "unavailable"; readonly code: LogRefusal };

/** What a publish from within the process came to. */
export type PublishOutcome = CommitOutcome | { readonly outcome: "refused"; readonly problem: Problem };

/** Told of what is published; for metrics. Must not throw. */
export interface PublishMeter {
  /** After the commit. `waitedMs`: from the hand-over to the log until it was durable. */
  accepted(publish: {
    readonly events: number;
    readonly duplicates: number;
    readonly bytes: number;
    readonly waitedMs: number;
  }): void;
  /** `reason` is a problem's name: a label with few values. */
  refused(reason: Problem["name"] | LogRefusal): void;
}

/** What a publisher works with. */
export interface PublisherOptions {
  readonly log: EventLog;
  readonly limits: PublishLimits;
  readonly clock: Clock;
  readonly meter?: PublishMeter;
  /** What a publish waits for first when delivery is behind with routing; undefined when there is room. */
  readonly room?: () => Promise<void> | undefined;
  /**
   * Most bytes of events that wait for room and for the log, over all publishes; default 64 MiB. Past it `LOG_BUSY`, but
   * one publish is always let in when none waits.
   */
  readonly waitingBytesMax?: number;
}

const waitingBytesMaxDefault = 67_108_864;

/** The way into the log. */
export interface Publisher {
  readonly limits: PublishLimits;
  /**
   * Publishes one event or an array of them, in the form of protocol.md §8, all or nothing, as `POST /api/v1/events`
   * does; no rights are asked. Resolves when they are durable. What is no JSON value in a payload is refused.
   * @throws what the log throws other than these refusals: a fault of ours.
   */
  publish(events: unknown): Promise<PublishOutcome>;
  /** Hands checked drafts to the log; otherwise as `publish`. */
  commit(drafts: readonly EventDraft[]): Promise<CommitOutcome>;
  /** Tells the meter of a publish that was refused before it came here. */
  countRefusal(reason: Problem["name"]): void;
}

/** Makes the publisher of a log, which stays its caller's to close. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { log, limits, clock, meter, room } = options;
  const waiting = new ByteBudget(options.waitingBytesMax ?? waitingBytesMaxDefault);

  async function commit(drafts: readonly EventDraft[]): Promise<CommitOutcome> {
    const weight = pendingBytes(drafts);
    if (!waiting.take(weight)) return unavailable("LOG_BUSY");
    try {
      await room?.();
      const startMs = clock.now();
      const { firstSeq, lastSeq, duplicates } = await log.append(drafts);
      const bytes = drafts.reduce((sum, draft) => sum + fieldsLengthOf(draft), 0);
      meter?.accepted({ events: drafts.length, duplicates, bytes, waitedMs: clock.now() - startMs });
      return { outcome: "accepted", accepted: drafts.length, firstSeq, lastSeq, duplicates };
    } catch (error) {
      const code = refusalOf(error);
      if (code !== undefined) return unavailable(code);
      meter?.refused("internal-error");
      throw error;
    } finally {
      waiting.giveBack(weight);
    }
  }

  function unavailable(code: LogRefusal): CommitOutcome {
    meter?.refused(code);
    return { outcome: "unavailable", code };
  }

  async function publish(events: unknown): Promise<PublishOutcome> {
    const parsed = draftsOf(Array.isArray(events) ? events : [events], limits, clock);
    if ("name" in parsed) {
      meter?.refused(parsed.name);
      return { outcome: "refused", problem: parsed };
    }
    return commit(parsed);
  }

  return { limits, publish, commit, countRefusal: (reason) => meter?.refused(reason) };
}

function draftsOf(values: readonly unknown[], limits: PublishLimits, clock: Clock): readonly EventDraft[] | Problem {
  if (values.length === 0) return { name: "no-events", detail: "There is no event to publish" };
  if (values.length > limits.publish_batch_events) return batchProblem(limits);
  const rules = eventRulesOf(limits, clock);
  const drafts: EventDraft[] = [];
  for (const [index, value] of values.entries()) {
    const parsed = parsePublishedEvent(value, rules);
    if (!parsed.ok) return eventProblem(parsed, limits, index);
    drafts.push(draftOf(parsed.event));
  }
  return drafts;
}

function refusalOf(error: unknown): LogRefusal | undefined {
  if (!(error instanceof LogError)) return undefined;
  switch (error.code) {
    case "LOG_FULL":
    case "LOG_BUSY":
    case "LOG_FAILED":
    case "LOG_CLOSED":
    case "LOG_UNREACHABLE":
      return error.code;
    default:
      return undefined;
  }
}
