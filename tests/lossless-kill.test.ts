// The service is killed again and again in mid-run, and nobody notices more than a reconnect: a client that resumes
// ends with every event, in order, none twice. `SLUICE_KILLS=20` for the long form.
import { setTimeout as pause } from "node:timers/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  eventually,
  mint,
  numberedEvents,
  numberOf,
  publish,
  ResumingClient,
  spawnService,
  within,
  type Service,
  type TestEvent,
} from "@sluice/testkit";
import { expect, it } from "vitest";

const kills = Number(process.env["SLUICE_KILLS"] ?? 4);
const publishers = 3;
const batchEvents = 100;
const retryMs = 10;
const wideClients = 10;
/** Of so many events one is of the type that the narrow clients want; they live from heartbeats. */
const rareEvery = 100;
const narrowClients = 2;
const heartbeatMs = 200;
const firstLifeMs = 1000;
/**
 * When a kill comes, by turns: so long after so many of the clients have resumed. From before anybody is back over the
 * middle of their replays to well into live delivery.
 */
const lives = [
  { resumed: wideClients, ms: 600 },
  { resumed: 1, ms: 0 },
  { resumed: wideClients, ms: 20 },
  { resumed: 0, ms: 30 },
  { resumed: wideClients / 2, ms: 100 },
  { resumed: wideClients, ms: 1500 },
];

/** What is to be known of the run outside of the clients. */
interface Run {
  url: string;
  isOver: boolean;
  readonly acknowledged: Map<string, number>;
}

function batchOf(publisher: number, batch: number): TestEvent[] {
  return numberedEvents(batchEvents, batch * batchEvents).map((event) => {
    const n = numberOf(event);
    return { ...event, event_id: `${publisher}-${n}`, event_type: n % rareEvery === 0 ? "RARE" : "COMMON" };
  });
}

/** Publishes batch after batch, each with the same ids until it is acknowledged. Returns how many were sent twice. */
async function publishUntilOver(publisher: number, run: Run): Promise<number> {
  let retries = 0;
  for (let batch = 0; !run.isOver; batch += 1) {
    const events = batchOf(publisher, batch);
    for (;;) {
      try {
        await publish(run.url, events);
        break;
      } catch {
        retries += 1;
        await pause(retryMs);
      }
    }
    for (const event of events) run.acknowledged.set(event.event_id as string, publisher);
  }
  return retries;
}

function expectEverything(client: ResumingClient, run: Run, head: number): void {
  const { events } = client;
  expect(client.gaps).toEqual([]);
  expect(client.errors).toEqual([]);
  expect(client.epochs.size, "the log is the same one").toBe(1);
  const disorder = events.findIndex(({ seq }, index) => seq !== index + 1);
  expect(disorder, `seq ${events[disorder]?.seq} at ${disorder}: a repeat, a hole or disorder`).toBe(-1);
  expect(events.length).toBe(head);
  const ids = new Set(events.map((event) => event.event_id));
  expect(ids.size, "no event is stored under two seqs").toBe(events.length);
  const lost = [...run.acknowledged.keys()].filter((id) => !ids.has(id));
  expect(lost, "acknowledged and not delivered").toEqual([]);
}

function expectNarrow(client: ResumingClient, wide: ResumingClient): void {
  expect(client.gaps).toEqual([]);
  const rare = wide.events.filter((event) => event.event_type === "RARE").map(({ seq }) => seq);
  expect(client.events.map(({ seq }) => seq)).toEqual(rare);
  expect(client.pingsSeen).toBeGreaterThan(0);
}

async function headOf(service: Service): Promise<number> {
  const { last_seq: lastSeq } = await publish(service.url, [
    { event_type: "RARE", event_id: "last", payload: { n: -1 } },
  ]);
  return lastSeq;
}

function start(logDir: string): Promise<Service> {
  return spawnService({ logDir, settings: { "heartbeat.interval_ms": heartbeatMs } });
}

/** Lets the service live until it is time for its kill. */
async function live(kill: number, clients: readonly ResumingClient[]): Promise<void> {
  const { resumed, ms } = lives[kill % lives.length] as (typeof lives)[number];
  const before = clients.map(({ connections }) => connections);
  const back = (): number => clients.filter(({ connections }, index) => connections > (before[index] as number)).length;
  await eventually(
    `${resumed} clients to resume`,
    () => (back() >= resumed ? true : undefined),
    20_000,
    () => `${back()}`,
  );
  await pause(ms);
}

/** Kills the service again and again. Returns the last one. */
async function killAgainAndAgain(first: Service, run: Run, clients: readonly ResumingClient[]): Promise<Service> {
  let service = first;
  for (let kill = 0; kill < kills; kill += 1) {
    service.kill("SIGKILL");
    expect(await service.exited).toEqual({ code: null, signal: "SIGKILL" });
    service = await start(service.logDir);
    run.url = service.url;
    await live(kill, clients);
  }
  return service;
}

it(
  `${kills} kills under load: every client has every event once and in order`,
  { timeout: 60_000 + kills * 15_000 },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-lossless-"));
    const run: Run = { url: "", isOver: false, acknowledged: new Map() };
    const open = (events: string[]): ResumingClient =>
      new ResumingClient({ url: () => run.url, token: mint(), events });
    const first = await start(join(dir, "log"));
    run.url = first.url;
    const wide = Array.from({ length: wideClients }, () => open(["*"]));
    const narrow = Array.from({ length: narrowClients }, () => open(["RARE"]));
    const publishing = Array.from({ length: publishers }, (_, index) => publishUntilOver(index, run));
    let service = first;
    try {
      await pause(firstLifeMs);
      service = await killAgainAndAgain(first, run, wide);
      run.isOver = true;
      const retries = await Promise.all(publishing);
      const head = await headOf(service);
      for (const client of [...wide, ...narrow]) {
        await within(`a client to reach seq ${head}`, client.reached(head), 30_000, () => `seq ${client.position}`);
      }
      for (const client of wide) expectEverything(client, run, head);
      for (const client of narrow) expectNarrow(client, wide[0] as ResumingClient);
      const resumed = wide.reduce((sum, { connections }) => sum + connections - 1, 0);
      expect(resumed, "connections that were resumed").toBeGreaterThan(0);
      const sentAgain = retries.reduce((sum, count) => sum + count, 0);
      expect(sentAgain, "publishes that were cut off and sent again").toBeGreaterThan(0);
      process.stdout.write(
        `${kills} kills: ${head} events, ${run.acknowledged.size} of them acknowledged one by one, ` +
          `${resumed} resumptions by ${wideClients} clients, ${sentAgain} publishes sent again\n`,
      );
    } finally {
      run.isOver = true;
      await Promise.all([...wide, ...narrow].map((client) => client[Symbol.asyncDispose]()));
      await service[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
