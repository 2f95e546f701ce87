// A deploy: the service is drained and another takes its place on its port. All SDK clients come back by themselves,
// spread over time, and miss nothing. The clients are in processes of their own. `SLUICE_DRAIN_CLIENTS` (200).
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually, mint, numberedEvents, publish, spawnService, within } from "@sluice/testkit";
import { expect, it } from "vitest";

const count = Number(process.env["SLUICE_DRAIN_CLIENTS"] ?? 200);
const clientsPerProcess = 500;
const drainMs = 5_000;
const program = fileURLToPath(new URL("fixtures/sdk-clients.mjs", import.meta.url));

/** How one process's clients, or all of them, are. */
interface Report {
  readonly live: number;
  readonly numbersMin: number;
  readonly wrong: number;
  readonly gaps: number;
  readonly attempts: readonly number[];
  readonly arrivals: readonly number[];
}

class Swarm implements Disposable {
  readonly #processes: readonly ChildProcess[];

  constructor(url: string) {
    const sizes = Array.from({ length: Math.ceil(count / clientsPerProcess) }, (_, index) =>
      Math.min(clientsPerProcess, count - index * clientsPerProcess),
    );
    this.#processes = sizes.map((size) =>
      fork(program, {
        env: { ...process.env, SWARM: JSON.stringify({ url, token: mint(), count: size }) },
        execArgv: [],
      }),
    );
  }

  async ask(command: "report" | "forget" = "report"): Promise<Report> {
    const reports = await Promise.all(
      this.#processes.map(async (child) => {
        child.send(command);
        return (await within("a report", once(child, "message"), 60_000))[0] as Report;
      }),
    );
    const sum = (name: "live" | "wrong" | "gaps"): number => reports.reduce((total, report) => total + report[name], 0);
    return {
      live: sum("live"),
      wrong: sum("wrong"),
      gaps: sum("gaps"),
      numbersMin: Math.min(...reports.map(({ numbersMin }) => numbersMin)),
      attempts: reports.flatMap(({ attempts }) => attempts).sort((a, b) => a - b),
      arrivals: reports.flatMap(({ arrivals }) => arrivals).sort((a, b) => a - b),
    };
  }

  /** Waits for what `isSo` says of them. */
  async until(what: string, isSo: (report: Report) => boolean): Promise<Report> {
    let last: Report | undefined;
    return eventually(
      what,
      async () => {
        last = await this.ask();
        return isSo(last) ? last : undefined;
      },
      120_000,
      () => JSON.stringify({ ...last, attempts: last?.attempts.length, arrivals: last?.arrivals.length }),
    );
  }

  [Symbol.dispose](): void {
    for (const child of this.#processes) child.kill("SIGKILL");
  }
}

/** Most of the sorted `times` within any `windowMs`. */
function peakWithin(times: readonly number[], windowMs: number): number {
  let first = 0;
  let peak = 0;
  for (const [index, at] of times.entries()) {
    while (at - (times[first] as number) >= windowMs) first += 1;
    peak = Math.max(peak, index - first + 1);
  }
  return peak;
}

it(`${count} clients are all back after a restart, gap-free, and not all at once`, { timeout: 300_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-deploy-"));
  const settings = { "server.drain_ms": drainMs };
  const logDir = join(dir, "log");
  const service = await spawnService({ logDir, settings });
  using swarm = new Swarm(service.url);
  let drainedMs = 0;
  let startedMs = 0;
  await using next = await (async () => {
    try {
      await swarm.until("all clients to be live", ({ live }) => live === count);
      await publish(service.url, numberedEvents(100));
      await swarm.ask("forget");
      const startMs = performance.now();
      service.kill("SIGTERM");
      await within("the service to end", service.exited, 30_000);
      drainedMs = Math.round(performance.now() - startMs);
      const port = new URL(service.url).port;
      const started = await spawnService({ logDir, settings: { ...settings, "server.port": port } });
      startedMs = Math.round(performance.now() - startMs) - drainedMs;
      return started;
    } finally {
      await service[Symbol.asyncDispose]();
    }
  })();
  const upAt = Date.now();
  try {
    await publish(next.url, numberedEvents(100, 100));
    const { arrivals, attempts } = await swarm.until(
      "all clients to be live again",
      ({ live, arrivals }) => live === count && arrivals.length >= count,
    );
    await publish(next.url, numberedEvents(100, 200));
    const { wrong, gaps } = await swarm.until("all clients to have everything", ({ numbersMin }) => numbersMin === 300);
    expect([wrong, gaps]).toEqual([0, 0]);
    const arrived = (share: number): number => (arrivals[Math.ceil(arrivals.length * share) - 1] as number) - upAt;
    process.stdout.write(
      `${count} clients, drained in ${drainedMs} ms, started again in ${startedMs} ms: half back ${arrived(0.5)} ms after the new service listened, 99 % ${arrived(0.99)} ms, all ` +
        `${arrived(1)} ms; ${attempts.length} attempts in all, at most ${peakWithin(attempts, 100)} in 100 ms and ` +
        `${peakWithin(attempts, 1_000)} in 1 s; arrivals at most ${peakWithin(arrivals, 100)} in 100 ms\n`,
    );
    expect(peakWithin(arrivals, 250), "they don't come in one wave").toBeLessThan(count * 0.8);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
