// temp until runtime/telemetry has the logger
import type { Settings } from "@sluice/runtime";
import { pino } from "pino";
import type { OutputStream } from "../terminal/terminal.js";
export function processLog(settings: Settings, stdout: OutputStream, _colour: boolean) {
  return { logger: pino({ level: settings.telemetry.log_level }, stdout), end: async (): Promise<void> => undefined };
}
