// `limits.*`: what callers may ask of the process; each bound says what happens past it.
import Type from "typebox";
import { integer } from "../setting.js";

const mebibyte = 1_048_576;
const countMax = 1_000_000;

export const limitsSettings = Type.Object({
  connections: integer({
    default: 15_000,
    minimum: 1,
    maximum: countMax,
    unit: "connections",
    description:
      "Most connections of the process; past it Close 1013, and HTTP 503 for a stream of Server-Sent Events.",
  }),
  connections_per_user: integer({
    default: 10_000,
    minimum: 0,
    maximum: countMax,
    unit: "connections",
    description: "Most connections of one user; past it Close 1013 or HTTP 503. 0 is unlimited.",
  }),
  connections_per_address: integer({
    default: 0,
    minimum: 0,
    maximum: countMax,
    unit: "connections",
    description:
      "Most connections from one address; past it Close 1013 or HTTP 503. 0 is unlimited, which is right behind a gateway.",
  }),
  commands_per_second: integer({
    default: 50,
    minimum: 1,
    maximum: countMax,
    unit: "commands/s",
    description:
      "Commands a connection may send in the long run; past it `RATE_LIMITED`, and Close 1008 when it goes on.",
  }),
  command_burst: integer({
    default: 100,
    minimum: 1,
    maximum: countMax,
    unit: "commands",
    description: "Commands a connection that was quiet may send at once.",
  }),
  message_bytes: integer({
    default: 65_536,
    minimum: 256,
    maximum: 16 * mebibyte,
    unit: "bytes",
    description: "Largest message of a client; past it Close 1009.",
  }),
  handshake_ms: integer({
    default: 5_000,
    minimum: 10,
    maximum: 60_000,
    unit: "ms",
    description: "Time from the connection to the whole request; past it the connection is ended.",
  }),
  payload_bytes: integer({
    default: 262_144,
    minimum: 1,
    maximum: 8 * mebibyte,
    unit: "bytes",
    description: "Largest payload of an event, as JSON; past it the publish is refused with HTTP 413.",
  }),
  publish_body_bytes: integer({
    default: 16 * mebibyte,
    minimum: 256,
    maximum: 1_024 * mebibyte,
    unit: "bytes",
    description: "Largest body of a publish; past it HTTP 413.",
  }),
  publish_batch_events: integer({
    default: 10_000,
    minimum: 1,
    maximum: countMax,
    unit: "events",
    description: "Most events of one publish; past it HTTP 413.",
  }),
  token_bytes: integer({
    default: 12_288,
    minimum: 256,
    maximum: 65_536,
    unit: "bytes",
    description: "Longest token that is looked at; past it the token is refused before any work on it.",
  }),
});
