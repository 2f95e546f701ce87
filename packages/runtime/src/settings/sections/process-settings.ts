// `telemetry.*` and `demo.*`.
import Type from "typebox";
import { choice, flag, integer } from "../setting.js";

export const telemetrySettings = Type.Object({
  log_level: choice(["fatal", "error", "warn", "info", "debug", "trace", "silent"], {
    default: "info",
    description: "Lowest level that is logged.",
  }),
  log_pretty: flag({
    default: false,
    description: "Whether log lines are for people (one coloured line each) in place of JSON.",
  }),
});

export const demoSettings = Type.Object({
  enabled: flag({
    default: false,
    description: "Whether this machine's own load is published as `METRIC_UPDATE` events of cluster `local`.",
  }),
  interval_ms: integer({
    default: 1_000,
    minimum: 10,
    maximum: 3_600_000,
    unit: "ms",
    description: "Time between two events of the demo.",
  }),
});
