// A service from its start to its end, as `sluice serve` and `sluice start` run it.
import type { Settings } from "@sluice/runtime";
import { createServer, type CreateServerOptions, type SluiceServer } from "@sluice/server";
import { DemoSource } from "../demo/demo-source.js";
import { startFailure } from "./start-failure.js";

/** What to run. */
export interface RunServiceOptions {
  readonly settings: Settings;
  readonly logger: CreateServerOptions["logger"];
  /** Ends the service gracefully. */
  readonly interrupted: AbortSignal;
  /** Called when it listens. */
  readonly onListening?: (server: SluiceServer) => void | Promise<void>;
}

/** Runs a service until it is interrupted, then drains it. @throws {CliError} when it could not start. */
export async function runService({ settings, logger, interrupted, onListening }: RunServiceOptions): Promise<void> {
  let server: SluiceServer;
  try {
    server = await createServer({ settings, logger });
  } catch (error) {
    throw startFailure(error, settings);
  }
  const demo = settings.demo.enabled
    ? new DemoSource({
        publish: (events) => server.publish(events),
        intervalMs: settings.demo.interval_ms,
        onTrouble: (what) => logger.warn({ what }, "the demo could not publish"),
      })
    : undefined;
  demo?.start();
  try {
    await onListening?.(server);
    if (!interrupted.aborted) {
      await new Promise<void>((resolve) => interrupted.addEventListener("abort", () => resolve(), { once: true }));
    }
    logger.info({ drain_ms: settings.server.drain_ms }, "draining");
  } finally {
    demo?.stop();
    await server.drain();
  }
  logger.info("stopped");
}
