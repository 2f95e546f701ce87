// `sluice start`: a service to try Sluice with, and all that is needed to do so.
import { relative } from "node:path";
import { adminScope, mintToken, publishScope, type Settings } from "@sluice/runtime";
import { Command } from "commander";
import { formatDuration } from "../arguments/duration.js";
import { devBanner } from "../serve/dev-banner.js";
import { processLog } from "../serve/process-log.js";
import { runService } from "../serve/run-service.js";
import { freePort } from "../start/free-port.js";
import { ensureOwnSecret } from "../start/own-secret.js";
import { planStart, secretFile } from "../start/start-settings.js";
import { startText } from "../start/start-text.js";
import { paintFor } from "../terminal/paint.js";
import { takesColour, type Terminal } from "../terminal/terminal.js";
import { type LoadedSettings, settingsOrProblems } from "./settings-problems.js";

const examples = `
Examples:
    $ sluice start
    $ sluice start --server.port=9000 --demo.interval_ms=250

Keeps its log and its secret in ./data. For a service that stays, see sluice serve --help.`;

const tokenLifeMs = 86_400_000;
const tokenSubject = "demo";

/** `sluice start`. */
export function startCommand(terminal: Terminal): Command {
  return new Command("start")
    .description("Try Sluice: a service with this machine's load as events, and a token for it")
    .usage("[--config <file>] [--any.setting=value]…")
    .option("--config <file>", "YAML file (default: SLUICE_CONFIG, or none)")
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText("after", examples)
    .action(async ({ config }: { config?: string }, command: Command) => {
      const { stdout, stderr, env, interrupted } = terminal;
      const { settings, warnings, takenPort } = await prepare(config, command.args, env);
      if (settings.auth.dev) stderr.write(devBanner(paintFor(takesColour(stderr, env))));
      const { logger, end } = processLog(settings, stdout, takesColour(stdout, env));
      for (const warning of warnings) logger.warn(warning);
      const token = await tokenFor(settings);
      await runService({
        settings,
        logger,
        interrupted,
        onListening: ({ url }) => {
          const facts = {
            url,
            logDir: relative(".", settings.log.dir) || settings.log.dir,
            demoIntervalMs: settings.demo.enabled ? settings.demo.interval_ms : undefined,
            token,
            tokenLife: formatDuration(tokenLifeMs),
            isOpen: settings.auth.dev,
            takenPort,
            program: "npx sluice",
          };
          stdout.write(startText(facts, paintFor(takesColour(stdout, env))));
        },
      });
      await end();
      stdout.write("Goodbye.\n");
    });
}

type Prepared = Pick<LoadedSettings, "settings" | "warnings"> & { readonly takenPort: number | undefined };

async function prepare(config: string | undefined, args: readonly string[], env: Terminal["env"]): Promise<Prepared> {
  const options = { ...(config === undefined ? {} : { file: config }), env, flags: args };
  const plan = planStart(options);
  if (plan.usesOwnSecret) await ensureOwnSecret(secretFile);
  const loaded = settingsOrProblems({ ...options, flags: plan.flags, requireAuth: true });
  const { host, port } = loaded.settings.server;
  const chosen = plan.mayChoosePort ? await freePort(host, port) : port;
  if (chosen === port) return { ...loaded, takenPort: undefined };
  const flags = [...plan.flags, `--server.port=${chosen}`];
  return { ...settingsOrProblems({ ...options, flags, requireAuth: true }), takenPort: port };
}

/** A token for whoever tries it out, where the shared secret is ours to sign with. */
async function tokenFor({ auth }: Settings): Promise<string | undefined> {
  if (auth.dev || auth.hs256_secret === null) return undefined;
  return mintToken(auth.hs256_secret, {
    sub: tokenSubject,
    scope: `${publishScope} ${adminScope}`,
    ttlMs: tokenLifeMs,
    issuer: auth.issuer ?? undefined,
    audience: auth.audience[0],
  });
}
