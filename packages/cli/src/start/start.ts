// `sluice start` at work.
import { randomBytes } from "node:crypto";
import { relative } from "node:path";
import {
  adminScope,
  createLogDestination,
  createLogger,
  mintToken,
  publishScope,
  type Settings,
} from "@sluice/runtime";
import { formatDuration } from "../arguments/duration.js";
import { type LoadedSettings, settingsOrProblems } from "../config/settings-or-problems.js";
import { runGateway } from "../gateway/run-gateway.js";
import { devBanner } from "../serve/dev-banner.js";
import { runService, type RunServiceOptions } from "../serve/run-service.js";
import type { ServeOptions } from "../serve/serve.js";
import { paintFor } from "../terminal/paint.js";
import { takesColour, type Terminal } from "../terminal/terminal.js";
import { freePort } from "./free-port.js";
import { ensureOwnSecret } from "./own-secret.js";
import { readPageFiles } from "./page/page-files.js";
import { pageKey } from "./page/page-key.js";
import { type PageServer, servePage } from "./page/page-server.js";
import { planStart, type PortSetting, secretFile } from "./start-settings.js";
import { startText } from "./start-text.js";

const tokenLifeMs = 86_400_000;
/** Of the page's tokens, which it asks for again: long enough not to be in the way, short enough to show that it does. */
const pageTokenLifeMs = 600_000;
const pagePort = 8_082;
const tokenSubject = "demo";
/** npm puts the workspace's own program first, so this needs no network. */
const program = "npx sluice";

/** Runs a service to try, and tells how, until it is interrupted. @throws {CliError} when it could not start. */
export async function start({ config, flags }: ServeOptions, terminal: Terminal): Promise<void> {
  const { stdout, stderr, env, interrupted } = terminal;
  const { settings, warnings, takenPort } = await prepare(config, flags, env);
  if (settings.auth.dev) stderr.write(devBanner(paintFor(takesColour(stderr, env))));
  const { log_level: level, log_pretty: pretty } = settings.telemetry;
  // What we tell goes the way of the log lines, so that the two keep their order.
  const destination = createLogDestination();
  const logger = createLogger({ level, pretty, service: "sluice", destination });
  for (const warning of warnings) logger.warn(warning);
  const token = await tokenFor(settings, `${publishScope} ${adminScope}`, tokenLifeMs);
  let gatewayUrl: string | undefined;
  await using page = await openPage(settings, token !== undefined, () => gatewayUrl);
  const tell = (url: string, serviceUrl: string): void => {
    gatewayUrl = url;
    const facts = {
      url,
      serviceUrl,
      pageUrl: page.url,
      logDir: settings.log.engine === "memory" ? undefined : shortest(settings.log.dir),
      demoIntervalMs: settings.demo.enabled ? settings.demo.interval_ms : undefined,
      token,
      tokenLife: formatDuration(tokenLifeMs),
      isOpen: settings.auth.dev,
      takenPort,
      program,
    };
    destination.write(startText(facts, paintFor(takesColour(stdout, env))));
  };
  await runBoth({ settings: admitting(page.origins, settings), logger, interrupted }, tell);
  await destination.writeLast("Goodbye.\n");
}

/** The service, and the gateway as long as the service runs; what ends one ends the other. */
async function runBoth(
  { settings, logger, interrupted }: Pick<RunServiceOptions, "settings" | "logger" | "interrupted">,
  tell: (url: string, serviceUrl: string) => void,
): Promise<void> {
  const end = new AbortController();
  const until = AbortSignal.any([interrupted, end.signal]);
  let door: Promise<void> | undefined;
  const openDoor = ({ url: serviceUrl }: { readonly url: string }): void => {
    const gateway = { ...settings.gateway, upstreams: [serviceUrl] };
    const onListening = ({ url }: { readonly url: string }): void => tell(url, serviceUrl);
    door = runGateway({ settings: { ...settings, gateway }, logger, interrupted: until, onListening });
    door.catch(() => end.abort());
  };
  try {
    await runService({ settings, logger, interrupted: until, onListening: openDoor });
  } finally {
    end.abort();
    await door;
  }
}

/** The page asks for its tokens with the key of its address; a service in development needs none. */
async function openPage(settings: Settings, mints: boolean, serviceUrl: () => string | undefined): Promise<PageServer> {
  const { hs256_secret: secret, dev } = settings.auth;
  const makeToken = async (): Promise<string> => (await tokenFor(settings, publishScope, pageTokenLifeMs)) ?? "";
  return servePage({
    files: await readPageFiles(),
    serviceUrl,
    key: secret === null ? randomBytes(16).toString("base64url") : pageKey(secret),
    makeToken: mints ? makeToken : undefined,
    needsToken: !mints && !dev,
    port: pagePort,
  });
}

/** The settings, with the page among the origins that may connect where not all of them may. */
function admitting(origins: readonly string[], settings: Settings): Settings {
  const add = (allowed: readonly string[]): string[] =>
    allowed.includes("*") ? [...allowed] : [...allowed, ...origins];
  const { server, gateway } = settings;
  return {
    ...settings,
    server: { ...server, allowed_origins: add(server.allowed_origins) },
    gateway: { ...gateway, allowed_origins: add(gateway.allowed_origins) },
  };
}

function shortest(path: string): string {
  const fromHere = relative(".", path);
  return fromHere === "" || fromHere.startsWith("..") ? path : fromHere;
}

type Prepared = Pick<LoadedSettings, "settings" | "warnings"> & { readonly takenPort: number | undefined };

async function prepare(config: string | undefined, args: readonly string[], env: Terminal["env"]): Promise<Prepared> {
  const options = { ...(config === undefined ? {} : { file: config }), env, flags: args };
  const plan = planStart(options);
  if (plan.usesOwnSecret) await ensureOwnSecret(secretFile);
  const loaded = settingsOrProblems({ ...options, flags: plan.flags, requireAuth: true });
  const ports: Readonly<Record<PortSetting, { readonly host: string; readonly port: number }>> = {
    "server.port": loaded.settings.server,
    "gateway.port": loaded.settings.gateway,
  };
  const flags = [...plan.flags];
  let takenPort: number | undefined;
  for (const setting of plan.freePorts) {
    const { host, port } = ports[setting];
    const chosen = await freePort(host, port);
    if (chosen === port) continue;
    flags.push(`--${setting}=${chosen}`);
    if (setting === "gateway.port") takenPort = port;
  }
  return { ...settingsOrProblems({ ...options, flags, requireAuth: true }), takenPort };
}

/** A token for whoever tries it out, where the shared secret is ours to sign with. */
async function tokenFor({ auth }: Settings, scope: string, ttlMs: number): Promise<string | undefined> {
  if (auth.dev || auth.hs256_secret === null) return undefined;
  return mintToken(auth.hs256_secret, {
    sub: tokenSubject,
    scope,
    ttlMs,
    issuer: auth.issuer ?? undefined,
    audience: auth.audience[0],
  });
}
