// A streaming service within the test's own process, on a free port, with a log of its own.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settingsWith, type Clock, type SettingsOverrides } from "@sluice/runtime";
import { createServer, type SluiceServer } from "@sluice/server";
import { pino } from "pino";
import { testLogSettings } from "./test-log.js";
import { testSecret } from "./tokens.js";

export interface TestServer extends SluiceServer, AsyncDisposable {
  /** What the service logged, one object a line. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
}

export interface StartServerOptions {
  readonly clock?: Clock;
}

/** Starts a service; disposing of it closes it and deletes its log. `log.engine` is `memory` unless told (or `SLUICE_TEST_ENGINE`). */
export async function startServer(
  overrides: SettingsOverrides = {},
  { clock }: StartServerOptions = {},
): Promise<TestServer> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-test-"));
  const { log, nats } = testLogSettings(join(dir, "log"), "memory");
  const settings = settingsWith({
    ...overrides,
    server: { port: 0, ...overrides.server },
    log: { ...log, ...overrides.log },
    nats: { ...nats, ...overrides.nats },
    auth: { hs256_secret: testSecret, ...overrides.auth },
  });
  const logged: Readonly<Record<string, unknown>>[] = [];
  const destination = {
    write: (line: string): void => {
      logged.push(JSON.parse(line) as Readonly<Record<string, unknown>>);
    },
  };
  const logger = pino({ level: "debug" }, destination);
  const server = await createServer({ settings, logger, ...(clock === undefined ? {} : { clock }) });
  return {
    get url() {
      return server.url;
    },
    get opsUrl() {
      return server.opsUrl;
    },
    publish: (events) => server.publish(events),
    drain: () => server.drain(),
    close: () => server.close(),
    logged,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
