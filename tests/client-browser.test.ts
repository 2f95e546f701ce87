// The example page in real Chromium: a token in the subprotocol, live events, and no event missing or twice when the
// service is killed, restarted, or cut off. Without a Chromium (`CHROMIUM`, or where Debian puts it) it is skipped.
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import {
  eventually,
  FaultProxy,
  mint,
  numberedEvents,
  publish,
  type Service,
  spawnService,
  within,
} from "@sluice/testkit";
import { chromium, type Page } from "playwright-core";
import { expect, it } from "vitest";

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

const packages = fileURLToPath(new URL("../packages/", import.meta.url));
const roots: readonly (readonly [string, string])[] = [
  ["/client/", join(packages, "client/dist/")],
  ["/protocol/", join(packages, "protocol/dist/")],
  ["/", join(packages, "client/example/")],
];
const types: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };

/** Serves the example page as its README says. */
async function servePage(): Promise<Server> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname.replace(/\/$/, "/index.html");
    const [prefix, directory] = roots.find(([prefix]) => path.startsWith(prefix)) as readonly [string, string];
    const file = join(directory, normalize(`/${path.slice(prefix.length)}`));
    readFile(file).then(
      (body) => response.writeHead(200, { "content-type": types[extname(file)] ?? "application/json" }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

interface PageNumbers {
  readonly numbers: readonly number[];
  readonly outOfOrder: number;
  readonly state: string;
}

/** Asked in the page. */
const readNumbers = `({ numbers: sluicePage.numbers, outOfOrder: sluicePage.outOfOrder, state: sluicePage.sluice?.status.state })`;

async function untilNumbers(page: Page, count: number): Promise<PageNumbers> {
  let last = "";
  return eventually(
    `${count} events in the page`,
    async () => {
      const read = (await page.evaluate(readNumbers)) as PageNumbers;
      last = `${read.numbers.length} events, ${read.state}`;
      return read.numbers.length >= count ? read : undefined;
    },
    30_000,
    () => last,
  );
}

it.skipIf(executable === undefined)(
  "a page goes on through every restart with no event missing or twice",
  { timeout: 120_000 },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-page-"));
    const options = { logDir: join(dir, "log"), settings: { "server.drain_ms": 300 } };
    let service: Service = await spawnService(options);
    await using proxy = await FaultProxy.start(service.url);
    const server = await servePage();
    const browser = await chromium.launch({ executablePath: executable as string, args: ["--no-sandbox"] });
    const restart = async (signal: NodeJS.Signals): Promise<void> => {
      service.kill(signal);
      await within("the service to end", service.exited);
      service = await spawnService(options);
      proxy.retarget(service.url);
    };
    try {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(error.message));
      const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      await page.goto(`${at}#url=${encodeURIComponent(proxy.url)}&token=${mint()}`);
      expect(page.url(), "no token stays in the address").toBe(at);
      await page.waitForSelector('#status[data-state="live"]');

      let published = 0;
      const publishMore = async (count: number): Promise<void> => {
        await publish(service.url, numberedEvents(count, published));
        published += count;
      };
      await publishMore(50);
      await untilNumbers(page, published);
      for (const fault of [() => restart("SIGKILL"), () => restart("SIGTERM"), async () => proxy.reset()]) {
        await fault();
        await publishMore(500);
        const { numbers, outOfOrder } = await untilNumbers(page, published);
        expect([numbers, outOfOrder]).toEqual([Array.from({ length: published }, (_, n) => n), 0]);
        await page.waitForSelector('#status[data-state="live"]');
      }

      // A reload goes on from localStorage: what came meanwhile is there, and nothing else.
      await page.goto("about:blank");
      await publishMore(20);
      await page.goto(`${at}#url=${encodeURIComponent(proxy.url)}&token=${mint()}`);
      const before = published - 20;
      expect((await untilNumbers(page, 20)).numbers).toEqual(Array.from({ length: 20 }, (_, n) => before + n));
      await publishMore(10);
      const { numbers, outOfOrder } = await untilNumbers(page, 30);
      expect([numbers.length, outOfOrder, errors]).toEqual([30, 0, []]);
      const screenshot = process.env["SLUICE_SCREENSHOT"];
      if (screenshot !== undefined) await page.screenshot({ path: screenshot });
    } finally {
      await browser.close();
      server.close();
      await service[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
