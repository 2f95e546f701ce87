// `sluice log copy` at work.
import { systemClock } from "@sluice/runtime";
import { copyLog, type CopyProgress } from "@sluice/server";
import { CliError } from "../cli-error.js";
import { settingsOrProblems } from "../config/settings-or-problems.js";
import { exitCodes } from "../exit-codes.js";
import { number } from "../publish/publish-progress.js";
import { startFailure } from "../serve/start-failure.js";
import { tell, type Terminal } from "../terminal/terminal.js";

/** What to copy, and where the settings come from beside the environment. */
export interface CopyOptions {
  readonly dir: string;
  readonly config: string | undefined;
  readonly flags: readonly string[];
  readonly verify: boolean;
}

/** Least time between two lines of progress, ms. */
const progressMs = 1000;

/** Copies, telling on stderr how far it is and on stdout what it came to. @throws {CliError} */
export async function copy({ dir, config, flags, verify }: CopyOptions, terminal: Terminal): Promise<void> {
  const { env, interrupted, stdout } = terminal;
  const { settings } = settingsOrProblems({ ...(config === undefined ? {} : { file: config }), env, flags });
  const startedAt = performance.now();
  let shownAt = 0;
  const onProgress = ({ phase, events, total }: CopyProgress): void => {
    const now = performance.now();
    if (now - shownAt < progressMs && events < total) return;
    shownAt = now;
    tell(terminal, `${phase} ${number(events)} of ${number(total)} events`);
  };
  let report;
  try {
    report = await copyLog({ dir, settings, clock: systemClock, verify, onProgress, signal: interrupted });
  } catch (error) {
    if (interrupted.aborted) {
      const hint = "The same command goes on from here.";
      throw new CliError("interrupted before all was copied", { exitCode: exitCodes.interrupted, hint, cause: error });
    }
    throw startFailure(error, { ...settings, log: { ...settings.log, engine: "jetstream" } });
  }
  const { oldest, head, epoch, checksum, isEqual, resumedAfter } = report;
  if (isEqual === false) {
    const hint = `Retention may have taken some: see log.retention.*. Delete the stream ${settings.nats.stream} and copy again.`;
    throw new CliError("what the stream holds is not what was copied", { exitCode: exitCodes.failure, hint });
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const resumed = resumedAfter >= oldest ? `, ${number(resumedAfter - oldest + 1)} of them earlier` : "";
  stdout.write(`${number(head - oldest + 1)} events copied${resumed}, seqs ${oldest} to ${head}, in ${seconds} s\n`);
  stdout.write(`epoch ${epoch}\n`);
  if (checksum !== undefined) stdout.write(`sha256 ${checksum}, the same in both\n`);
}
