// What `sluice start` runs with: whatever was configured, and beside it what makes trying it out easy.
import { loadSettings, type LoadSettingsOptions } from "@sluice/runtime";
import { join } from "node:path";

/** Everything that a trial leaves on the disk, below the working directory. */
const dataDir = "data";
/** The secret that its tokens are signed with. */
export const secretFile = join(dataDir, "secret");

const conveniences: Readonly<Record<string, string>> = {
  "log.dir": join(dataDir, "log"),
  "demo.enabled": "true",
  "telemetry.log_pretty": "true",
};

const waysToAuthenticate = [
  "auth.dev",
  "auth.hs256_secret",
  "auth.hs256_secret_file",
  "auth.issuer",
  "auth.jwks_url",
  "auth.introspection_url",
];

/** Settings that name a port to listen on. */
export type PortSetting = "server.port" | "gateway.port";

const portSettings: readonly PortSetting[] = ["server.port", "gateway.port"];

/** What is to be added to what was given. */
export interface StartPlan {
  /** The flags given, and ours for what nobody configured. */
  readonly flags: readonly string[];
  /** Whether a secret of our own is used, so that we can make a token with it. */
  readonly usesOwnSecret: boolean;
  /** Settings of ports that are ours to choose. */
  readonly freePorts: readonly PortSetting[];
}

/** The plan; where what was given is wrong, loading it again tells so. */
export function planStart(options: LoadSettingsOptions): StartPlan {
  const loaded = loadSettings(options);
  if (!loaded.ok) return { flags: options.flags, usesOwnSecret: false, freePorts: [] };
  const isFree = (path: string): boolean => loaded.sources.get(path)?.kind === "default";
  const ours = Object.entries(conveniences).filter(([path]) => isFree(path));
  const usesOwnSecret = waysToAuthenticate.every(isFree);
  if (usesOwnSecret) ours.push(["auth.hs256_secret_file", secretFile]);
  return {
    flags: [...options.flags, ...ours.map(([path, value]) => `--${path}=${value}`)],
    usesOwnSecret,
    freePorts: portSettings.filter(isFree),
  };
}
