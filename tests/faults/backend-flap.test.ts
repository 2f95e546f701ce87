// The service behind a gateway is killed and comes back: all clients are back soon, spread over time, and have every
// event once. Gateway, service and clients are processes of their own. `SLUICE_FLAP_CLIENTS=5000` for the long form, with
// the figures that it is about; `SLUICE_FLAPS` and `SLUICE_FLAP_DOWN_MS` (2000) for harder ones.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  Crowd,
  eventually,
  mint,
  numberedEvents,
  publish,
  residentBytes,
  spawnGateway,
  spawnService,
  type CrowdReport,
  type Service,
} from "@sluice/testkit";
import { expect, it } from "vitest";

const clients = Number(process.env["SLUICE_FLAP_CLIENTS"] ?? 200);
const flaps = Number(process.env["SLUICE_FLAPS"] ?? 1);
const downMs = Number(process.env["SLUICE_FLAP_DOWN_MS"] ?? 500);
const eventsPerSecond = 1;
const openMs = 120_000;
const backMs = 60_000;
/** Fewer are back so soon that seconds tell nothing. */
const clientsForFigures = 2_000;
const share = 0.99;
const lookMs = 250;
const mebibyte = 1_048_576;

/** Publishes at a steady pace, each event until it is accepted. */
class Pacer {
  published = 0;
  url: string;
  #isOver = false;
  readonly #run: Promise<void>;

  constructor(url: string) {
    this.url = url;
    this.#run = this.#publish();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#run;
  }

  async #publish(): Promise<void> {
    while (!this.#isOver) {
      await pause(1_000 / eventsPerSecond);
      const [event] = numberedEvents(1, this.published, { event_id: `${this.published}` });
      try {
        await publish(this.url, [event]);
        this.published += 1;
      } catch {
        // The same event again, with the same id.
      }
    }
  }
}

interface Figures {
  readonly backShareMs: number;
  readonly lastMs: number;
  readonly busiestSecond: number;
  readonly meanPerSecond: number;
}

/** Of times in order: the busiest second, wherever it begins, and the mean over the time that the returns took. */
function figuresOf(returnedAtMs: readonly number[], upAtMs: number): Figures {
  const times = returnedAtMs.toSorted((a, b) => a - b);
  let busiestSecond = 0;
  for (let from = 0, to = 0; from < times.length; from += 1) {
    while (to < times.length && (times[to] as number) < (times[from] as number) + 1_000) to += 1;
    busiestSecond = Math.max(busiestSecond, to - from);
  }
  const at = (part: number): number => times[Math.ceil(times.length * part) - 1] as number;
  const tookMs = Math.max(1_000, at(share) - (times[0] as number));
  return {
    backShareMs: Math.round(at(share) - upAtMs),
    lastMs: Math.round(at(1) - upAtMs),
    busiestSecond,
    meanPerSecond: Math.round((times.length * share * 1_000) / tookMs),
  };
}

async function allLive(crowd: Crowd, what: string, ms: number, next = 0, returns = 0): Promise<CrowdReport> {
  let last: CrowdReport | undefined;
  const look = async (): Promise<CrowdReport | undefined> => {
    // Seldom: what is measured is not to be busy with being asked.
    await pause(lookMs);
    last = await crowd.report();
    const isThere = last.live === clients && last.next >= next && last.returns >= returns;
    return isThere || last.wrongs > 0 ? last : undefined;
  };
  const shown = (): string => JSON.stringify(last);
  const report = await eventually(what, look, ms, shown);
  expect({ wrongs: report.wrongs, wrong: report.wrong, gaps: report.gaps }).toEqual({ wrongs: 0, wrong: [], gaps: 0 });
  return report;
}

const now = (): number => performance.timeOrigin + performance.now();

it(
  `${clients} clients through the gateway are back after ${flaps} loss of the service, each with every event once`,
  { timeout: openMs + (backMs + downMs + 10_000) * flaps },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-flap-"));
    const logDir = join(dir, "log");
    let service: Service = await spawnService({ logDir });
    const settings = { "server.port": new URL(service.url).port };
    try {
      await using gateway = await spawnGateway([service.url]);
      await using crowd = Crowd.start({ url: gateway.url, token: mint(), clients, events: ["GPU_UPDATE"] });
      await allLive(crowd, "all clients to be live", openMs);
      const pacer = new Pacer(service.url);
      await allLive(crowd, "all clients to have an event", openMs, 1);
      for (let flap = 1; flap <= flaps; flap += 1) {
        crowd.forgetReturns();
        const killedAtMs = now();
        service.kill("SIGKILL");
        await service.exited;
        await pause(downMs);
        service = await spawnService({ logDir, settings });
        const upAtMs = now();
        const { published } = pacer;
        await eventually("events to be published again", () => pacer.published > published || undefined, 20_000);
        await allLive(crowd, "all clients to be back", backMs, pacer.published, clients);
        const figures = figuresOf(await crowd.returnedAtMs(), upAtMs);
        process.stdout.write(
          `flap ${flap}: ${clients} clients, service away for ${Math.round(upAtMs - killedAtMs)} ms; ` +
            `99 % back ${figures.backShareMs} ms after it, all ${figures.lastMs} ms; ` +
            `busiest second ${figures.busiestSecond}, mean ${figures.meanPerSecond}/s; ` +
            `gateway ${Math.round(residentBytes(gateway.pid) / mebibyte)} MiB\n`,
        );
        if (clients < clientsForFigures) continue;
        expect(figures.backShareMs).toBeLessThan(10_000);
        expect(figures.busiestSecond).toBeLessThanOrEqual(figures.meanPerSecond * 2);
      }
      await pacer.stop();
      await allLive(crowd, "all clients to have everything", backMs, pacer.published);
    } finally {
      await service[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
