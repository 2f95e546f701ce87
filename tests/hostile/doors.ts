// The two doors that everything hostile is tried on: the streaming service itself, and the gateway with a service behind.
import { startGateway, startServer } from "@sluice/testkit";
import type { SettingsOverrides } from "@sluice/runtime";

export interface Door extends AsyncDisposable {
  readonly url: string;
  /** The service: behind the gateway, or the door itself. */
  readonly serviceUrl: string;
  /** What both have logged, one object a line. */
  readonly logged: () => readonly Readonly<Record<string, unknown>>[];
}

/** Settings of a door: `limits` and `allowed_origins` are given to whichever it is. */
export interface DoorSettings {
  readonly auth?: SettingsOverrides["auth"];
  readonly limits?: SettingsOverrides["limits"];
  readonly allowedOrigins?: readonly string[];
  readonly handshakeMs?: number;
  /** `server.compression`; default false. */
  readonly compression?: boolean;
  readonly gateway?: SettingsOverrides["gateway"];
}

function serviceSettings(settings: DoorSettings): SettingsOverrides {
  const { auth, limits, allowedOrigins, handshakeMs, compression = false } = settings;
  return {
    server: { compression, ...(allowedOrigins === undefined ? {} : { allowed_origins: [...allowedOrigins] }) },
    limits: { ...(handshakeMs === undefined ? {} : { handshake_ms: handshakeMs }), ...limits },
    ...(auth === undefined ? {} : { auth }),
  };
}

async function openService(settings: DoorSettings): Promise<Door> {
  const service = await startServer(serviceSettings(settings));
  return {
    url: service.url,
    serviceUrl: service.url,
    logged: () => service.logged,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

async function openGateway(settings: DoorSettings): Promise<Door> {
  const { auth, limits, allowedOrigins, handshakeMs } = settings;
  const service = await startServer(serviceSettings({ ...settings, handshakeMs: 5000 }));
  const gateway = await startGateway([service.url], {
    ...(auth === undefined ? {} : { auth }),
    limits: { ...limits },
    gateway: {
      ...(allowedOrigins === undefined ? {} : { allowed_origins: [...allowedOrigins] }),
      ...settings.gateway,
      limits: { ...(handshakeMs === undefined ? {} : { handshake_ms: handshakeMs }), ...settings.gateway?.limits },
    },
  });
  return {
    url: gateway.url,
    serviceUrl: service.url,
    logged: () => [...service.logged, ...gateway.logged],
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

/** Name and way in, for `describe.each`. */
export const doors: readonly (readonly [string, (settings?: DoorSettings) => Promise<Door>])[] = [
  ["service", (settings = {}) => openService(settings)],
  ["gateway", (settings = {}) => openGateway(settings)],
];

const errorLevel = 50;

/** What a door has logged as an error; there should be none, whatever was sent to it. */
export function errorsOf(door: Door): readonly Readonly<Record<string, unknown>>[] {
  return door.logged().filter((line) => Number(line["level"]) >= errorLevel);
}
