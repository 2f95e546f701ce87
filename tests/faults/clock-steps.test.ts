// Somebody sets the wall clock of the service and the gateway an hour ahead, and then an hour back: no heartbeat, timeout
// or window of duplicates notices; only the times of tokens go by the wall clock.
import { fileURLToPath } from "node:url";
import {
  eventually,
  mint,
  numberedEvents,
  publish,
  RawClient,
  request,
  spawnGateway,
  spawnService,
  within,
} from "@sluice/testkit";
import { expect, it } from "vitest";

const hourMs = 3_600_000;
/** The service looks at an expiry again a minute before it, and at the latest after 30 s. */
const briefMs = 65_000;
const expiryMs = 40_000;
const preload = fileURLToPath(new URL("fixtures/stepping-clock.mjs", import.meta.url));
const env = {
  NODE_OPTIONS: `--import=${preload}`,
  CLOCK_STEPS_MS: `${hourMs},${-2 * hourMs}`,
};
const settings = { "heartbeat.interval_ms": 300, "heartbeat.timeout_ms": 300 };

/** Answers every ping; the monotonic times of them. */
function answerPings(client: RawClient): number[] {
  const times: number[] = [];
  client.webSocket.on("message", (data) => {
    if ((JSON.parse((data as Buffer).toString()) as { type: string }).type !== "ping") return;
    times.push(performance.now());
    client.send({ type: "pong" });
  });
  return times;
}

async function serverTime(client: RawClient): Promise<number> {
  client.send({ type: "ping", timestamp: 0 });
  return Date.parse((await client.next("pong"))["server_time"] as string);
}

it("steps of an hour, ahead and back, end no connection but those whose tokens they end", async () => {
  await using service = await spawnService({ env, settings });
  await using gateway = await spawnGateway([service.url], { env });
  const step = (): void => {
    process.kill(service.pid, "SIGUSR2");
    process.kill(gateway.pid, "SIGUSR2");
  };
  const day = mint({ ttlMs: 24 * hourMs });
  await using direct = await RawClient.connect(service.url, { token: day });
  await using through = await RawClient.connect(gateway.url, { token: day });
  await using brief = await RawClient.connect(service.url, { token: mint({ ttlMs: briefMs }) });
  const pings = [direct, through].map((client) => answerPings(client));
  answerPings(brief);
  await Promise.all([direct.subscribe(["*"]), through.subscribe(["*"])]);
  const event = { event_type: "E", event_id: "the same", payload: { n: 0 } };
  await publish(service.url, [event]);

  const steps: readonly (readonly [number, string])[] = [
    [hourMs, "ahead"],
    [-hourMs, "back"],
  ];
  for (const [aheadMs, word] of steps) {
    step();
    await eventually(`the service's clock to be an hour ${word}`, async () => {
      const offMs = (await serverTime(direct)) - Date.now() - aheadMs;
      return Math.abs(offMs) < hourMs / 4 || undefined;
    });
    if (aheadMs > 0) expect(await within("the end of a token", brief.closed, expiryMs)).toMatchObject({ code: 4401 });
    const before = pings.map(({ length }) => length);
    await eventually(
      "pings to go on",
      () => pings.every(({ length }, index) => length >= (before[index] as number) + 4) || undefined,
    );
    const token = mint({ sub: "publisher", scope: "events:publish", ttlMs: 24 * hourMs });
    expect(await publish(service.url, [event], token), "known within its window").toMatchObject({ duplicates: 1 });
    await publish(service.url, numberedEvents(1), token);
    for (const client of [direct, through]) expect(await client.events(1)).toHaveLength(1);
    expect((await request(gateway.url, "/readyz")).status).toBe(200);
  }

  await using silent = await RawClient.connect(service.url, { token: day });
  const connectedAtMs = performance.now();
  const closed = await within("a silent client's end, by its own clock", silent.closed);
  expect(closed).toMatchObject({ code: 1000, reason: "Connection timeout" });
  expect(closed.atMs - connectedAtMs).toBeGreaterThan(600);
  expect([direct, through].map(({ webSocket }) => webSocket.readyState)).toEqual([1, 1]);
});
