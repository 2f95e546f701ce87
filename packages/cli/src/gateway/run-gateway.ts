// A gateway from its start to its end, as `sluice gateway` and `sluice start` run it.
import { createGateway, type SluiceGateway } from "@sluice/gateway";
import { type Logger, type Settings, settleHeap, shutDown, systemClock } from "@sluice/runtime";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";
import { gatewayStartFailure } from "./gateway-start-failure.js";

/** What to run. */
export interface RunGatewayOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  /** Ends the gateway gracefully. */
  readonly interrupted: AbortSignal;
  /** Called when it listens. */
  readonly onListening?: (gateway: SluiceGateway) => void;
}

/** What closing may take beyond `gateway.drain_ms`, ms. */
const closeMaxMs = 10_000;

/**
 * Runs a gateway until it is interrupted, then drains it.
 * @throws {CliError} when it could not start, or did not end in order.
 */
export async function runGateway({ settings, logger, interrupted, onListening }: RunGatewayOptions): Promise<void> {
  const gateway = await createGateway({ settings, logger }).catch((error: unknown) => {
    throw gatewayStartFailure(error, settings);
  });
  settleHeap();
  onListening?.(gateway);
  await aborted(interrupted);
  const deadlineMs = settings.gateway.drain_ms + closeMaxMs;
  const drain = { name: "draining tunnels", deadlineMs, run: () => gateway.drain() };
  const failed = await shutDown([drain], { logger, clock: systemClock });
  if (failed.length > 0) {
    throw new CliError(`the gateway did not end in order: ${failed.join(", ")}`, { exitCode: exitCodes.software });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
