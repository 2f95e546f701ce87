// A service from its start to its end, as `sluice serve` and `sluice start` run it.
import { type Logger, type Settings, shutDown, superviseProcess, systemClock } from "@sluice/runtime";
import { isWorker, startService, type SluiceServer } from "@sluice/server";
import { CliError } from "../cli-error.js";
import { DemoSource } from "../demo/demo-source.js";
import { exitCodes } from "../exit-codes.js";
import { startFailure } from "./start-failure.js";

/** What to run. */
export interface RunServiceOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  /** Ends the service gracefully. */
  readonly interrupted: AbortSignal;
  /** Called when it listens. */
  readonly onListening?: (server: SluiceServer) => void;
}

/** What closing may take beyond `server.drain_ms`, ms: a last commit on a busy disk. */
const closeMaxMs = 10_000;

/**
 * Runs a service until it is interrupted, then drains it. Faults that nobody caught are logged and end the process.
 * @throws {CliError} when it could not start, or did not end in order.
 */
export async function runService(options: RunServiceOptions): Promise<void> {
  const { settings, logger, onListening } = options;
  const supervision = superviseProcess({ events: process, exit: (code) => process.exit(code), logger });
  const interrupted = AbortSignal.any([options.interrupted, supervision.interrupted]);
  try {
    const server = await startService({ settings, logger }).catch((error: unknown) => {
      throw startFailure(error, settings);
    });
    // Workers have connections; the process that keeps them has the demo.
    const demo = settings.demo.enabled && !isWorker() ? demoOf(server, options) : undefined;
    demo?.start();
    onListening?.(server);
    await aborted(interrupted);
    demo?.stop();
    const deadlineMs = settings.server.drain_ms + closeMaxMs;
    const drain = { name: "draining connections", deadlineMs, run: () => server.drain() };
    const failed = await shutDown([drain], { logger, clock: systemClock });
    if (failed.length > 0) {
      throw new CliError(`the service did not end in order: ${failed.join(", ")}`, { exitCode: exitCodes.software });
    }
  } finally {
    supervision.release();
  }
}

function demoOf(server: SluiceServer, { settings, logger }: RunServiceOptions): DemoSource {
  return new DemoSource({
    publish: (events) => server.publish(events),
    intervalMs: settings.demo.interval_ms,
    onTrouble: (what) => logger.warn({ what }, "the demo could not publish"),
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
