// The orderly end of a service: one stage after the other, each with a deadline, none able to hold up the rest.
import type { Clock } from "../clock.js";
import type { Logger } from "../telemetry/logger.js";
import { withDeadline } from "./deadline.js";

/** One step of ending. */
export interface ShutdownStage {
  /** What it does, for the log: "draining connections". */
  readonly name: string;
  /** After it the next stage begins, whatever became of this one, ms. */
  readonly deadlineMs: number;
  /** Does it; the signal is aborted at the deadline. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** What {@link shutDown} tells people through. */
export type ShutdownLogger = Pick<Logger, "info" | "error">;

/**
 * Runs the stages in their order. A stage that fails or is late is logged, and the next one begins: a log must be closed
 * also when a connection could not be. Never rejects.
 * @returns names of the stages that failed or were late; empty when all went well.
 */
export async function shutDown(
  stages: readonly ShutdownStage[],
  { logger, clock }: { readonly logger: ShutdownLogger; readonly clock: Clock },
): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { name, deadlineMs, run } of stages) {
    const startMs = clock.now();
    try {
      await withDeadline(name, deadlineMs, run);
      logger.info({ stage: name, duration_ms: Math.round(clock.now() - startMs) }, "stage of the shutdown done");
    } catch (error) {
      failed.push(name);
      logger.error({ stage: name, err: error }, "stage of the shutdown failed");
    }
  }
  return failed;
}
