import { afterEach, describe, expect, it } from "vitest";
import { describeClosing } from "./contract/closing-contract.js";
import { describeFollow } from "./contract/follow-contract.js";
import { makeLogDirectory } from "./contract/log-directory.js";
import { draftsOf, localTraits, logOptionsOf, range, seqsOf, type OpenLog } from "./contract/log-under-test.js";
import { describeRead } from "./contract/read-contract.js";
import { openEmbeddedLog } from "./embedded-log.js";
import type { EventLog, EventRecord } from "./event-log.js";
import { FollowerLog } from "./follower-log.js";
import type { LogOptions } from "./log-options.js";

interface FollowedLog {
  readonly writer: EventLog;
  readonly follower: FollowerLog;
  readonly lost: Error[];
  readonly thrown: Error[];
  /** Tells the follower where the writer stands, as its process does after a commit. */
  readonly advance: () => void;
}

async function openFollowed(
  options: LogOptions = logOptionsOf(),
  room?: () => Promise<void> | undefined,
): Promise<FollowedLog> {
  const dir = await makeLogDirectory();
  const writer = await openEmbeddedLog({ ...options, dir });
  const [lost, thrown]: [Error[], Error[]] = [[], []];
  const follower = new FollowerLog({
    dir,
    append: (drafts) => writer.append(drafts),
    ...(room === undefined ? {} : { room }),
    onError: options.onError ?? ((error) => thrown.push(error)),
    onLost: (error) => lost.push(error),
  });
  return { writer, follower, lost, thrown, advance: () => follower.advance(writer.stats()) };
}

/** A log whose appends, counts and retention are the writer's, and everything else the follower's. */
async function openAsWorker(options: LogOptions): Promise<EventLog> {
  const { writer, follower, advance } = await openFollowed(options);
  writer.follow(advance);
  return {
    epoch: follower.epoch,
    isShared: follower.isShared,
    eventBytesMax: follower.eventBytesMax,
    get head() {
      return follower.head;
    },
    get oldest() {
      return follower.oldest;
    },
    append: (drafts) => follower.append(drafts),
    read: (after, asked) => follower.read(after, asked),
    scan: (after, asked, take) => follower.scan(after, asked, take),
    follow: (onBatch) => follower.follow(onBatch),
    catchUp: () => follower.catchUp(),
    stats: () => writer.stats(),
    close: async () => {
      await writer.close();
      await follower.close();
    },
  };
}

describe("EventLog: the embedded one, as the workers have it", () => {
  const opened: EventLog[] = [];
  const open: OpenLog = async (over = {}) => {
    const log = await openAsWorker(logOptionsOf(over));
    opened.push(log);
    return log;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
  });
  describeRead(open, localTraits);
  describeFollow(open);
  describeClosing(open);
});

describe("a log that another process writes", () => {
  it("tells what was committed when it is told that there is more, in pieces, as there is room", async () => {
    const gates: (() => void)[] = [];
    const room = () => new Promise<void>((resolve) => gates.push(resolve));
    const { writer, follower, advance, lost } = await openFollowed(logOptionsOf(), room);
    const told: number[] = [];
    follower.follow((records) => told.push(...seqsOf(records)));
    await writer.append(draftsOf(1, 3000));
    expect(told).toEqual([]);
    advance();
    advance();
    expect(told.length).toBeLessThan(3000);
    const level = follower.catchUp();
    while (told.length < 3000) {
      await new Promise((resolve) => setImmediate(resolve));
      gates.shift()?.();
    }
    await level;
    expect(told).toEqual(range(1, 3000));
    expect(lost).toEqual([]);
    await follower.close();
    await writer.close();
  });

  it("tells what came with the news without reading it, and reads what is missing before it, each once", async () => {
    const { writer, follower, lost } = await openFollowed();
    const told: EventRecord[] = [];
    follower.follow((records) => told.push(...records));
    const commits: (readonly EventRecord[])[] = [];
    writer.follow((records) => commits.push(records));
    for (const n of range(0, 4)) await writer.append(draftsOf(n * 10, 10));
    const news = (index: number): void => follower.advance(writer.stats(), commits[index]);
    news(0);
    expect(told).toEqual(commits[0]);
    // A message was lost with what it brought.
    news(2);
    expect(seqsOf(told)).toEqual(range(1, 50));
    news(3);
    news(4);
    await follower.catchUp();
    expect(seqsOf(told)).toEqual(range(1, 50));
    expect(lost).toEqual([]);
    await follower.close();
    await writer.close();
  });

  it("says so when retention took what it had not told, and tells nothing of what comes after", async () => {
    const retention = { maxEvents: 10, maxAgeMs: null, maxBytes: null };
    const { writer, follower, advance, lost } = await openFollowed(logOptionsOf({ retention }));
    const told: EventRecord[] = [];
    follower.follow((records) => told.push(...records));
    for (const n of range(0, 9)) await writer.append(draftsOf(n * 10, 10));
    advance();
    await new Promise((resolve) => setImmediate(resolve));
    expect(lost).toEqual([new Error("retention took seq 1 before it was told")]);
    expect(told).toEqual([]);
    await follower.close();
    await writer.close();
  });

  it("is none where there is no log", async () => {
    const dir = await makeLogDirectory();
    const options = { dir, append: () => Promise.reject(new Error("unasked")), onError: () => {}, onLost: () => {} };
    expect(() => new FollowerLog(options)).toThrow("No such file or directory");
  });
});
