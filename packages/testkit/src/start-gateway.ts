// A gateway within the test's own process, on a free port.
import { createGateway, type SluiceGateway } from "@sluice/gateway";
import { type Clock, type Settings, settingsWith, type SettingsOverrides } from "@sluice/runtime";
import { pino } from "pino";
import { testSecret } from "./tokens.js";

export interface TestGateway extends SluiceGateway, AsyncDisposable {
  /** What it was started with, for a `reload` that changes some of it. */
  readonly settings: Settings;
  /** What the gateway logged, one object a line. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
}

/** Starts a gateway before these backends; disposing of it closes it. */
export async function startGateway(
  upstreams: readonly string[],
  overrides: SettingsOverrides = {},
  { clock }: { readonly clock?: Clock } = {},
): Promise<TestGateway> {
  const settings = settingsWith({
    ...overrides,
    gateway: { port: 0, upstreams: [...upstreams], ...overrides.gateway },
    auth: { hs256_secret: testSecret, ...overrides.auth },
  });
  const logged: Readonly<Record<string, unknown>>[] = [];
  const write = (line: string): void => {
    logged.push(JSON.parse(line) as Readonly<Record<string, unknown>>);
  };
  const logger = pino({ level: "debug" }, { write });
  const gateway = await createGateway({ settings, logger, ...(clock === undefined ? {} : { clock }) });
  return {
    url: gateway.url,
    opsUrl: gateway.opsUrl,
    settings,
    reload: (changed) => gateway.reload(changed),
    drain: () => gateway.drain(),
    close: () => gateway.close(),
    logged,
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}
