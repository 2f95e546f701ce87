// A bit flips on the disk, or the end of the log's file is gone. What is whole is served, what is not is never served and
// never passed over in silence; a log that can't be trusted at its end is not written to.
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  mint,
  numberOf,
  publish,
  RawClient,
  request,
  sluiceProgram,
  spawnService,
  testSecret,
  type EventFrame,
  type Frame,
} from "@sluice/testkit";
import { beforeAll, expect, it, onTestFinished } from "vitest";

const publishes = 20;
const eventsEach = 10;
const damagedPublish = 5;
/** Nothing of the dedup window, which ends at a damaged block. */
const settings = { "log.dedup.window_ms": 0 };

const textOf = (n: number): string => `<event ${n}>`.repeat(30);

/** A log of so many publishes, each a block of its own; the service has ended in order. */
let whole: string;

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-damaged-"));
  whole = join(dir, "log");
  await using service = await spawnService({ logDir: whole, settings });
  for (let first = 0; first < publishes * eventsEach; first += eventsEach) {
    const events = Array.from({ length: eventsEach }, (_, index) => ({
      event_type: "E",
      payload: { n: first + index, text: textOf(first + index) },
    }));
    await publish(service.url, events);
  }
  service.kill("SIGTERM");
  await service.exited;
  return () => rm(dir, { recursive: true, force: true });
});

/** A copy of it to be damaged, and its file. */
async function copyLog(): Promise<{ logDir: string; file: string }> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-damaged-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const logDir = join(dir, "log");
  await cp(whole, logDir, { recursive: true });
  return { logDir, file: join(logDir, "events.mdb") };
}

async function flipIn(file: string, text: string): Promise<void> {
  const bytes = await readFile(file);
  const at = bytes.indexOf(text);
  expect(at).toBeGreaterThan(0);
  bytes[at + 10] = (bytes[at + 10] as number) ^ 0x10;
  await writeFile(file, bytes);
}

/** Starts a service that is not to start: its exit code and what it said. */
function refusedStart(logDir: string): Promise<{ code: unknown; stderr: string }> {
  const args = [sluiceProgram, "serve", "--server.port=0", `--log.dir=${logDir}`];
  const env = { PATH: process.env["PATH"], SLUICE_AUTH__HS256_SECRET: testSecret };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, timeout: 20_000 }, (error, _stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stderr }),
    );
  });
}

it("a flipped bit: everything else is served, the damage leaves a gap in its place, and publishing goes on", async () => {
  const { logDir, file } = await copyLog();
  const firstLost = damagedPublish * eventsEach;
  await flipIn(file, textOf(firstLost + 3));
  await using service = await spawnService({ logDir, settings });
  await using client = await RawClient.connect(service.url, { token: mint(), query: "policy=replay" });
  client.send({ type: "subscribe", id: "all", events: ["*"], since: 0 });
  const frames = await client.until("the end of the replay", ({ type }) => type === "live");
  const story = frames
    .filter(({ type }) => type === "event" || type === "gap")
    .map((frame) => {
      if (frame.type === "gap") return [frame["from_seq"], frame["to_seq"]];
      const payload = frame["payload"] as { n: number; text: string };
      expect(payload.text).toBe(textOf(payload.n));
      return payload.n;
    });
  const numbers = Array.from({ length: publishes * eventsEach }, (_, n) => n);
  expect(story).toEqual([
    ...numbers.slice(0, firstLost),
    [firstLost + 1, firstLost + eventsEach],
    ...numbers.slice(firstLost + eventsEach),
  ]);
  await publish(service.url, [{ event_type: "E", payload: { n: numbers.length, text: textOf(numbers.length) } }]);
  expect((await client.events(1)).map(numberOf)).toEqual([numbers.length]);
  // The history by page, from before the damage and from within it.
  for (const since of [firstLost - 1, firstLost, firstLost + 4]) {
    const { status, json } = await request(service.url, `/api/v1/events?since=${since}&limit=1000`, { token: mint() });
    const page = json as { events: EventFrame[]; gap?: Frame; next: number | null };
    expect(status).toBe(200);
    const got = page.events.map(numberOf);
    const before = since < firstLost ? [since] : [];
    const isStopped = page.next === firstLost;
    expect(got).toEqual(isStopped ? before : [...before, ...numbers.slice(firstLost + eventsEach), numbers.length]);
  }
  await using late = await RawClient.connect(service.url, { token: mint(), query: "policy=replay" });
  late.send({ type: "subscribe", id: "within", events: ["*"], since: firstLost + 3 });
  expect(await late.next("gap")).toMatchObject({ from_seq: firstLost + 4, to_seq: firstLost + eventsEach });
  expect((await late.events(1)).map(numberOf)).toEqual([firstLost + eventsEach]);
});

it("a flipped bit in what was written last: not started, and told in words what to do", async () => {
  const { logDir, file } = await copyLog();
  await flipIn(file, textOf(publishes * eventsEach - 2));
  const { code, stderr } = await refusedStart(logDir);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/damaged[\s\S]*backup/) as unknown });
});

it("the end of the file cut off: not started, told in words, and the file left as it was", async () => {
  const { logDir, file } = await copyLog();
  const before = await readFile(file);
  const bytes = Math.floor(before.lastIndexOf(textOf(publishes * eventsEach - 1)) * 0.7);
  await truncate(file, bytes);
  const { code, stderr } = await refusedStart(logDir);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/damaged[\s\S]*backup/) as unknown });
  expect((await readFile(file)).equals(before.subarray(0, bytes))).toBe(true);
});
