// `log.*`: the durable sequence of events, how long it reaches back, and how duplicates are known.
import Type from "typebox";
import { choice, integer, orNull, text } from "../setting.js";

const dirLengthMax = 4_096;
const dayMs = 86_400_000;
const tebibyte = 1_099_511_627_776;

export const logSettings = Type.Object({
  engine: choice(["embedded", "memory", "jetstream"], {
    default: "embedded",
    description:
      "Where events are kept: `embedded` on this machine's disk, `jetstream` in a NATS cluster that several nodes share, `memory` nowhere (lost when the process ends).",
  }),
  dir: text({
    default: "./data/log",
    description:
      "Directory of the `embedded` log, made when missing; relative to the working directory. One log a directory.",
    allowed: `a path of 1 to ${dirLengthMax} characters`,
    check: (value) => value.trim() !== "" && value.length <= dirLengthMax && !value.includes("\0"),
  }),
  retention: Type.Object({
    max_events: orNull(
      integer({
        default: 1_000_000,
        minimum: 1,
        maximum: 1_000_000_000_000,
        unit: "events",
        description:
          "Most events kept; the oldest go first. A consumer that needed one of them gets a `gap` of reason `retention`.",
      }),
      "unlimited",
    ),
    max_age_ms: orNull(
      integer({
        default: dayMs,
        minimum: 1,
        maximum: 3_650 * dayMs,
        unit: "ms",
        description: "How long an event is kept after it was stored.",
      }),
      "unlimited",
    ),
    max_bytes: orNull(
      integer({
        default: 1_073_741_824,
        minimum: 1,
        maximum: 1_024 * tebibyte,
        unit: "bytes",
        description: "Most bytes of events kept; the oldest go first.",
      }),
      "unlimited",
    ),
  }),
  dedup: Type.Object({
    window_ms: integer({
      default: 120_000,
      minimum: 0,
      maximum: dayMs,
      unit: "ms",
      description:
        "How long an `event_id` is remembered; published again within it, the event is accepted and not stored twice. 0 remembers none.",
    }),
    max_ids: integer({
      default: 200_000,
      minimum: 0,
      maximum: 100_000_000,
      unit: "ids",
      description: "Most ids remembered; past it the oldest are forgotten before `log.dedup.window_ms` is over.",
    }),
  }),
});
