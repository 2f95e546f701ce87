// The example page in real Chromium, through a gateway, with the token in the subprotocol: no event is missing or comes
// twice when the gateway is killed, the service, or both, when they are drained, when the page slept, or is reloaded; a
// slow page holds little and loses nothing. Without a Chromium (`CHROMIUM`, or where Debian puts it) it is skipped.
// `SLUICE_BROWSER_LONG=1` adds the drains and the sleep; `SLUICE_SLOW_SECONDS` (3) is how long the slow page is published
// at; `SLUICE_SCREENSHOTS` a directory for pictures.
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPageFiles, servePage } from "@sluice/cli";
import { connect } from "@sluice/client";
import {
  eventually,
  mint,
  numberedEvents,
  publish,
  publisherToken,
  type Service,
  spawnGateway,
  type SpawnedGateway,
  spawnService,
  within,
} from "@sluice/testkit";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";

const executable = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));
if (executable === undefined) {
  process.stdout.write(
    "SKIPPED: no Chromium here; install Debian's chromium or set CHROMIUM to try the client in a page\n",
  );
}

/** It runs as root in CI, and asks nobody outside for anything. */
const chromiumArgs = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const serviceSettings = { "heartbeat.interval_ms": 500, "heartbeat.timeout_ms": 500, "server.drain_ms": 300 };
const gatewaySettings = { "gateway.drain_ms": 300, "gateway.health.interval_ms": 100 };
const isLong = process.env["SLUICE_BROWSER_LONG"] === "1";
const key = "the-key-of-the-page";
const slowSeconds = Number(process.env["SLUICE_SLOW_SECONDS"] ?? 3);
const eventsPerSecond = 1_000;
/** What the client keeps of live events by default, and a page of history. */
const bufferedMax = 1_000 + 500;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A service and a gateway, each a process that can be killed and comes back on its port. */
class Site implements AsyncDisposable {
  readonly dir: string;
  service: Service;
  gateway: SpawnedGateway;

  constructor(dir: string, service: Service, gateway: SpawnedGateway) {
    this.dir = dir;
    this.service = service;
    this.gateway = gateway;
  }

  static async start(): Promise<Site> {
    const dir = await mkdtemp(join(tmpdir(), "sluice-page-"));
    const service = await spawnService({ logDir: join(dir, "log"), settings: serviceSettings });
    return new Site(dir, service, await spawnGateway([service.url], { settings: gatewaySettings }));
  }

  async restartGateway(signal: NodeJS.Signals): Promise<void> {
    const { gateway, service } = this;
    await end(gateway, signal);
    const settings = { ...gatewaySettings, "gateway.port": new URL(gateway.url).port };
    this.gateway = await spawnGateway([service.url], { settings });
  }

  async restartService(signal: NodeJS.Signals): Promise<void> {
    const { service } = this;
    await end(service, signal);
    const settings = { ...serviceSettings, "server.port": new URL(service.url).port };
    this.service = await spawnService({ logDir: service.logDir, settings });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
    await this.service[Symbol.asyncDispose]();
    await rm(this.dir, { recursive: true, force: true });
  }
}

async function end(process: Service | SpawnedGateway, signal: NodeJS.Signals): Promise<void> {
  process.kill(signal);
  await within("the process to end", process.exited);
}

interface PageNumbers {
  readonly count: number;
  /** The first number that is not where it belongs; -1 where all are. */
  readonly wrongAt: number;
  readonly outOfOrder: number;
  readonly gaps: number;
  readonly bufferedMax: number;
  readonly state: string | undefined;
}

/** Looked at in the page: are the numbers `from`, `from` + 1, …, each once? */
const readNumbers = (from: number): string => `({
  count: sluicePage.numbers.length,
  wrongAt: sluicePage.numbers.findIndex((n, index) => n !== ${from} + index),
  outOfOrder: sluicePage.outOfOrder,
  gaps: sluicePage.gaps.length,
  bufferedMax: sluicePage.bufferedMax,
  state: sluicePage.sluice?.status.state,
})`;

/** Waits until the page has `count` numbers, and expects them to be whole. */
async function expectNumbers(page: Page, count: number, from = 0): Promise<PageNumbers> {
  let last: PageNumbers | undefined;
  const read = await eventually(
    `${count} events in the page`,
    async () => {
      last = (await page.evaluate(readNumbers(from))) as PageNumbers;
      return last.count >= count ? last : undefined;
    },
    60_000,
    () => JSON.stringify(last),
  );
  expect(read).toMatchObject({ count, wrongAt: -1, outOfOrder: 0, gaps: 0 });
  return read;
}

async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env["SLUICE_SCREENSHOTS"];
  if (directory !== undefined) await page.screenshot({ path: join(directory, `${name}.png`) });
}

const untilLive = (page: Page): Promise<unknown> => page.waitForSelector('#status[data-state="live"]');

describe.skipIf(executable === undefined)("the example page in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executable as string, args: chromiumArgs });
  });
  afterAll(() => browser?.close());

  /** The page, served as `sluice start` serves it; `errors` are its own and those of its policy. */
  async function openPage(site: Site) {
    const server = await servePage({
      files: await readPageFiles(),
      serviceUrl: () => site.gateway.url,
      key,
      makeToken: async () => mint(),
      needsToken: false,
      port: 0,
    });
    const context: BrowserContext = await browser.newContext({ viewport: { width: 1_200, height: 900 } });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy/i.test(message.text())) errors.push(message.text());
    });
    const close = async (): Promise<void> => {
      await context.close();
      await server[Symbol.asyncDispose]();
    };
    return { page, context, errors, url: server.url, [Symbol.asyncDispose]: close };
  }

  it(
    "goes on through the death of the gateway, the service and both, with no event missing or twice",
    {
      timeout: 240_000,
    },
    async () => {
      await using site = await Site.start();
      await using opened = await openPage(site);
      const { page, errors, url } = opened;
      const devtools = await page.context().newCDPSession(page);
      await devtools.send("Network.enable");
      const handshakes: { request: { headers: Record<string, string> } }[] = [];
      devtools.on("Network.webSocketWillSendHandshakeRequest", (event) => handshakes.push(event));
      const sockets: string[] = [];
      page.on("websocket", (socket) => sockets.push(socket.url()));

      await page.goto(url);
      expect(page.url(), "no key stays in the address").not.toContain(key);
      await untilLive(page);
      const offered = handshakes[0]?.request.headers["Sec-WebSocket-Protocol"];
      expect(offered).toMatch(/^sluice\.v1, base64url\.bearer\.authorization\.k8s\.io\.[\w-]+$/);
      expect(sockets).toEqual([`${site.gateway.url.replace("http", "ws")}/ws?policy=replay`]);

      // Published all the time, by the SDK through the same gateway: what it could not hand in, it tries again.
      using publisher = connect({ url: site.gateway.url, WebSocket, token: () => publisherToken() });
      let published = 0;
      let isPublishing = true;
      const publishing = (async () => {
        while (isPublishing) {
          const events = Array.from({ length: 10 }, (_, n) => ({
            event_type: "GPU_UPDATE",
            payload: { n: published + n },
          }));
          await publisher.publish(events);
          published += 10;
          await sleep(20);
        }
      })();
      publishing.catch(() => {});
      await eventually("live events in the page", async () => {
        const { count } = (await page.evaluate(readNumbers(0))) as PageNumbers;
        return count > 50 ? true : undefined;
      });
      const faults: Readonly<Record<string, () => Promise<unknown>>> = {
        "the gateway is killed": () => site.restartGateway("SIGKILL"),
        "the service is killed": () => site.restartService("SIGKILL"),
        "both are killed": async () => {
          await Promise.all([end(site.gateway, "SIGKILL"), end(site.service, "SIGKILL")]);
          await site.restartService("SIGKILL");
          await site.restartGateway("SIGKILL");
        },
        ...(isLong && {
          "the service is drained": () => site.restartService("SIGTERM"),
          "the gateway is drained": () => site.restartGateway("SIGTERM"),
        }),
      };
      for (const [name, fault] of Object.entries(faults)) {
        const seen = async (): Promise<number> => {
          const { count }: PageNumbers = await page.evaluate(readNumbers(0));
          return count;
        };
        const before = published;
        await fault();
        // At the latest here something has been published after it.
        await eventually(`events published after ${name}`, () => (published > before + 50 ? true : undefined), 60_000);
        const target = published;
        await eventually(
          `the page to go on after ${name}`,
          async () => ((await seen()) >= target ? true : undefined),
          60_000,
        );
        await untilLive(page);
        const { wrongAt, outOfOrder, gaps } = (await page.evaluate(readNumbers(0))) as PageNumbers;
        expect([name, wrongAt, outOfOrder, gaps]).toEqual([name, -1, 0, 0]);
        await picture(page, name.replaceAll(" ", "-"));
      }
      isPublishing = false;
      await within("the publisher to finish", publishing, 60_000);
      await expectNumbers(page, published);

      // A tab that slept, long enough for the service to give it up.
      if (isLong) {
        await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
        await publish(site.service.url, numberedEvents(200, published));
        published += 200;
        await sleep(3_000);
        await devtools.send("Page.setWebLifecycleState", { state: "active" });
        await expectNumbers(page, published);
        await untilLive(page);
      }

      // A reload goes on from localStorage: what came meanwhile is there, and nothing else.
      await page.goto("about:blank");
      await publish(site.service.url, numberedEvents(20, published));
      await page.goto(url);
      await expectNumbers(page, 20, published);
      await untilLive(page);
      await publish(site.service.url, numberedEvents(10, published + 20));
      await expectNumbers(page, 30, published);
      // The page's own way to publish: whose token doesn't allow it is told so in the page.
      await page.click("#publish");
      await page.waitForSelector("text=events:publish");
      expect(errors).toEqual([]);
    },
  );

  it(
    `reads slowly: 10 ms an event against ${eventsPerSecond}/s, bounded in memory, and loses nothing`,
    {
      timeout: 120_000 + slowSeconds * 20_000,
    },
    async () => {
      await using site = await Site.start();
      await using opened = await openPage(site);
      const { page, errors, url } = opened;
      const devtools = await page.context().newCDPSession(page);
      const heapBytes = async (): Promise<number> => {
        await devtools.send("HeapProfiler.collectGarbage");
        return (await devtools.send("Runtime.getHeapUsage")).usedSize;
      };
      await page.goto(url);
      await untilLive(page);
      await page.selectOption('select[name="pace"]', "10");
      const heapBefore = await heapBytes();
      const total = slowSeconds * eventsPerSecond;
      const startMs = performance.now();
      for (let published = 0; published < total; await sleep(20)) {
        const due = Math.min(total, Math.floor(((performance.now() - startMs) * eventsPerSecond) / 1_000)) - published;
        if (due > 0) await publish(site.service.url, numberedEvents(due, published));
        published += Math.max(0, due);
      }
      const behind = (await page.evaluate(readNumbers(0))) as PageNumbers;
      const heapGrowth = (await heapBytes()) - heapBefore;
      expect(behind.count).toBeLessThan(total / 2);
      expect(behind.state).toMatch(/lagging|catching-up/);
      await picture(page, "slow");
      await page.selectOption('select[name="pace"]', "0");
      const { bufferedMax: buffered } = await expectNumbers(page, total);
      await untilLive(page);
      process.stdout.write(
        `Chromium, 10 ms an event, ${total} events at ${eventsPerSecond}/s: behind by ${total - behind.count} at the end, ` +
          `at most ${buffered} events in memory, heap grown by ${Math.round(heapGrowth / 1_024)} KiB, nothing missing\n`,
      );
      expect(buffered).toBeLessThanOrEqual(bufferedMax);
      // Two buffers of events of about 1 KiB each as objects, and room for what a heap does by itself.
      expect(heapGrowth).toBeLessThan(8 * 1_048_576);
      expect(errors).toEqual([]);
    },
  );
});
