// The two doors as processes of their own: what is measured is theirs alone.
import { residentBytes, spawnGateway, spawnService } from "@sluice/testkit";

export interface SpawnedDoor extends AsyncDisposable {
  readonly url: string;
  readonly serviceUrl: string;
  /** Resident set of the door, and of the service behind it if there is one; bytes. */
  readonly residentBytes: () => { readonly door: number; readonly behind: number };
  /** True as long as no process of it has ended. */
  readonly isUp: () => boolean;
}

type Settings = Readonly<Record<string, string | number | boolean>>;

async function openService(settings: Settings): Promise<SpawnedDoor> {
  const service = await spawnService({ settings });
  let isUp = true;
  void service.exited.then(() => (isUp = false));
  return {
    url: service.url,
    serviceUrl: service.url,
    residentBytes: () => ({ door: residentBytes(service.pid), behind: 0 }),
    isUp: () => isUp,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

/** `limits.*` go to the service, and those that the gateway has too to the gateway. */
async function openGateway(settings: Settings): Promise<SpawnedDoor> {
  const service = await spawnService({ settings });
  const { "limits.handshake_ms": handshakeMs } = settings;
  const gateway = await spawnGateway([service.url], {
    settings: handshakeMs === undefined ? {} : { "gateway.limits.handshake_ms": handshakeMs },
  });
  let isUp = true;
  void Promise.race([service.exited, gateway.exited]).then(() => (isUp = false));
  return {
    url: gateway.url,
    serviceUrl: service.url,
    residentBytes: () => ({ door: residentBytes(gateway.pid), behind: residentBytes(service.pid) }),
    isUp: () => isUp,
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

/** Name and way in, for `describe.each`. */
export const spawnedDoors: readonly (readonly [string, (settings?: Settings) => Promise<SpawnedDoor>])[] = [
  ["service", (settings = {}) => openService(settings)],
  ["gateway", (settings = {}) => openGateway(settings)],
];
