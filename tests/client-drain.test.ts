// A deploy: the service is drained and another takes its place. All SDK clients come back by themselves, spread over
// time, and miss nothing. `SLUICE_DRAIN_CLIENTS` (200).
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@sluice/client";
import { eventually, FaultProxy, mint, numberedEvents, numberOf, publish, spawnService, within } from "@sluice/testkit";
import { expect, it } from "vitest";
import { WebSocket } from "ws";

const count = Number(process.env["SLUICE_DRAIN_CLIENTS"] ?? 200);
const drainMs = 1_000;
const windowMs = 250;

it(`${count} clients are all back after a restart, gap-free, and not all at once`, { timeout: 180_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-deploy-"));
  const settings = { "server.drain_ms": drainMs };
  const logDir = join(dir, "log");
  const service = await spawnService({ logDir, settings });
  await using proxy = await FaultProxy.start(service.url);
  const backAt: number[] = [];
  const clients = Array.from({ length: count }, () => {
    const sluice = connect({ url: proxy.url, token: mint(), WebSocket });
    const numbers: number[] = [];
    sluice.subscribe({ events: ["GPU_*"], onGap: () => numbers.push(Number.NaN) }, (event) =>
      numbers.push(numberOf(event)),
    );
    let was = sluice.status.state;
    sluice.onStatus(({ state }) => {
      if (was === "connecting" && state !== "connecting" && state !== "reconnecting") backAt.push(performance.now());
      was = state;
    });
    return { sluice, numbers };
  });
  const allLive = (): true | undefined => clients.every(({ sluice }) => sluice.status.state === "live") || undefined;
  await using next = await (async () => {
    try {
      await eventually("all clients to be live", allLive, 60_000);
      await publish(service.url, numberedEvents(100));
      backAt.length = 0;
      service.kill("SIGTERM");
      await within("the service to end", service.exited, 20_000);
      return await spawnService({ logDir, settings });
    } finally {
      await service[Symbol.asyncDispose]();
    }
  })();
  proxy.retarget(next.url);
  const upAt = performance.now();
  await publish(next.url, numberedEvents(100, 100));
  try {
    await eventually("all clients to be live again", () => (backAt.length >= count ? allLive() : undefined), 60_000);
    await publish(next.url, numberedEvents(100, 200));
    const whole = Array.from({ length: 300 }, (_, n) => n);
    await eventually(
      "all clients to have everything",
      () => clients.every(({ numbers }) => numbers.length >= whole.length) || undefined,
      30_000,
    );
    for (const { numbers } of clients) expect(numbers).toEqual(whole);
    const times = backAt.toSorted((a, b) => a - b);
    const last = (times.at(-1) as number) - upAt;
    const peak = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length));
    process.stdout.write(
      `${count} clients back within ${Math.round(last)} ms of the new service; at most ${peak} in ${windowMs} ms\n`,
    );
    expect(peak, "they don't come in one wave").toBeLessThan(count * 0.8);
  } finally {
    for (const { sluice } of clients) sluice.close();
    await rm(dir, { recursive: true, force: true });
  }
});
