// A process and what can end it: signals, once politely and twice at once, and faults that nobody caught.
import { systemClock, type Clock } from "../clock.js";
import type { Logger } from "../telemetry/logger.js";
import { type EndSignal, serviceExitCodes, signalExitCode } from "./exit-codes.js";
import { shutDown, type ShutdownStage } from "./shutdown.js";

const endSignals: readonly EndSignal[] = ["SIGTERM", "SIGINT", "SIGHUP"];
const faults = ["uncaughtException", "unhandledRejection"] as const;

/** Where signals and faults come from; `process` is one. */
export interface ProcessEvents {
  on(event: string, listener: (cause: unknown) => void): unknown;
  off(event: string, listener: (cause: unknown) => void): unknown;
}

/** How to supervise. */
export interface SuperviseOptions {
  readonly events: ProcessEvents;
  /** Ends the process; `process.exit`. */
  readonly exit: (code: number) => void;
  readonly logger: Pick<Logger, "info" | "warn" | "error" | "fatal">;
  /** What to do at the first signal, in order, before the process exits. Without any the process is its owner's to end. */
  readonly stages?: readonly ShutdownStage[];
  /** Signals that end the process; default all three. */
  readonly signals?: readonly EndSignal[];
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** A supervised process. */
export interface Supervision {
  /** Aborted at the first signal, with the signal's name as its reason. */
  readonly interrupted: AbortSignal;
  /** Lets go of signals and faults. */
  release(): void;
}

/**
 * Watches over a process.
 *
 * - The first SIGTERM, SIGINT or SIGHUP aborts `interrupted` and runs the stages; then exit 0, or 70 when one of them
 *   failed or was late.
 * - The second ends the process at once with 128 + its number: whoever signals twice doesn't want to wait.
 * - An exception or rejection that nobody caught is logged, and the process exits with 70 at once: after it nothing that
 *   the process knows can be trusted, and what was acknowledged is durable.
 */
export function superviseProcess(options: SuperviseOptions): Supervision {
  const { events, exit, logger, stages, signals = endSignals, clock = systemClock } = options;
  const interruption = new AbortController();

  async function end(signal: EndSignal): Promise<void> {
    logger.info({ signal }, "ending");
    interruption.abort(signal);
    if (stages === undefined) return;
    const failed = await shutDown(stages, { logger, clock });
    exit(failed.length === 0 ? serviceExitCodes.ok : serviceExitCodes.internal);
  }

  function onSignal(signal: EndSignal): void {
    if (!interruption.signal.aborted) return void end(signal).catch(onFault);
    logger.warn({ signal }, "ending at once, asked twice");
    exit(signalExitCode(signal));
  }

  function onFault(error: unknown): void {
    logger.fatal({ err: error }, "a fault that nobody caught");
    exit(serviceExitCodes.internal);
  }

  const listeners: (readonly [string, (cause: unknown) => void])[] = [
    ...signals.map((signal) => [signal, () => onSignal(signal)] as const),
    ...faults.map((fault) => [fault, onFault] as const),
  ];
  for (const [event, listener] of listeners) events.on(event, listener);
  return {
    interrupted: interruption.signal,
    release: () => {
      for (const [event, listener] of listeners) events.off(event, listener);
    },
  };
}
