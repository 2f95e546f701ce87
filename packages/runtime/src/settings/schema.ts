// The one schema of every setting. Types, parsing, defaults, checks, `config print` and docs/settings.md come from it.
import Type, { type Static } from "typebox";
import { authSettings } from "./sections/auth-settings.js";
import { bufferSettings, heartbeatSettings, subscriptionsSettings } from "./sections/delivery-settings.js";
import { gatewaySettings } from "./sections/gateway-settings.js";
import { limitsSettings } from "./sections/limit-settings.js";
import { logSettings } from "./sections/log-settings.js";
import { natsSettings } from "./sections/nats-settings.js";
import { demoSettings, telemetrySettings } from "./sections/process-settings.js";
import { serverSettings } from "./sections/server-settings.js";

/** Sections in the order in which they are documented. */
export const settingsSchema = Type.Object({
  server: serverSettings,
  log: logSettings,
  nats: natsSettings,
  heartbeat: heartbeatSettings,
  buffer: bufferSettings,
  subscriptions: subscriptionsSettings,
  auth: authSettings,
  limits: limitsSettings,
  gateway: gatewaySettings,
  telemetry: telemetrySettings,
  demo: demoSettings,
});

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** Every setting of a process, nested as documented: `settings.heartbeat.interval_ms`. Deeply frozen. */
export type Settings = DeepReadonly<Static<typeof settingsSchema>>;
