import { expect, it } from "vitest";
import { suggestKey } from "./suggestion.js";

it.each([
  ["heartbeat.intervall_ms", "heartbeat.interval_ms"],
  ["HEARTBEAT_INTERVAL-MS", "heartbeat.interval_ms"],
  ["buffers", "buffer"],
  ["retention.max_age", "log.retention.max_age_ms"],
  ["ticket_ttl_ms", "auth.ticket_ttl_ms"],
  ["port", undefined],
  ["query_token", "auth.query_token"],
  ["interval_ms", undefined],
  ["qqqqqqqqqqqq", undefined],
  ["", undefined],
  ["heartbeat.interval_ms".repeat(10), undefined],
])("%s suggests %s", (name, expected) => {
  expect(suggestKey(name)).toBe(expected);
});
