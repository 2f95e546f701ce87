// `heartbeat.*`, `buffer.*`, `subscriptions.*`: what one connection is held to while it is served (protocol §2, §3, §5).
import { policies } from "@sluice/protocol";
import Type from "typebox";
import { choice, fraction, integer, integerOf } from "../setting.js";

const hourMs = 3_600_000;
const gibibyte = 1_073_741_824;

export const heartbeatSettings = Type.Object({
  interval_ms: integer({
    default: 30_000,
    minimum: 1,
    maximum: hourMs,
    unit: "ms",
    description: "Time between two pings of one connection; connections are spread over it.",
  }),
  timeout_ms: integer({
    default: 10_000,
    minimum: 1,
    maximum: hourMs,
    unit: "ms",
    description: "How long a pong may take before it counts as missed. May be longer than `heartbeat.interval_ms`.",
  }),
  max_missed: integer({
    default: 3,
    minimum: 1,
    maximum: 100,
    unit: "pongs",
    description: "Missed pongs in a row that end the connection.",
  }),
  close_code: integerOf(Type.Union([Type.Literal(1000), Type.Integer({ minimum: 4000, maximum: 4999 })]), {
    default: 1000,
    allowed: "1000 or an integer from 4000 to 4999",
    description:
      "Close code of a connection ended by its heartbeat (RFC 6455 §7.4); its reason is always `Connection timeout`.",
  }),
});

export const bufferSettings = Type.Object({
  max_messages: integer({
    default: 1_000,
    minimum: 1,
    maximum: 1_000_000,
    unit: "events",
    description: "Most events a connection may lie behind before `buffer.policy` acts; a client may ask for fewer.",
  }),
  high_watermark: fraction({
    default: 0.8,
    minimum: 0.01,
    maximum: 1,
    description: "Share of `buffer.max_messages` at which a connection is paused.",
  }),
  low_watermark: fraction({
    default: 0.5,
    minimum: 0,
    maximum: 0.99,
    description:
      "Share of `buffer.max_messages` at which a paused connection is resumed; below `buffer.high_watermark`.",
  }),
  policy: choice(policies, {
    default: "drop-oldest",
    description: "What happens to a consumer past `buffer.max_messages` that did not choose for itself.",
  }),
  tail_bytes: integer({
    default: 8_388_608,
    minimum: 1_024,
    maximum: 64 * gibibyte,
    unit: "bytes",
    description:
      "Most bytes of recent frames kept in memory, for all connections together; older ones are read from the log again.",
  }),
});

export const subscriptionsSettings = Type.Object({
  max_per_connection: integer({
    default: 100,
    minimum: 1,
    maximum: 100_000,
    unit: "subscriptions",
    description:
      "Most event names or patterns a connection is subscribed to; a command past it gets `SUBSCRIPTION_LIMIT` and changes nothing.",
  }),
});
