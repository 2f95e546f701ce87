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

/** What is to be added to what was given. */
export interface StartPlan {
  /** The flags given, and ours for what nobody configured. */
  readonly flags: readonly string[];
  /** Whether a secret of our own is used, so that we can make a token with it. */
  readonly usesOwnSecret: boolean;
  /** Whether the port is ours to choose. */
  readonly mayChoosePort: boolean;
}

/** The plan; where what was given is wrong, loading it again tells so. */
export function planStart(options: LoadSettingsOptions): StartPlan {
  const loaded = loadSettings(options);
  if (!loaded.ok) return { flags: options.flags, usesOwnSecret: false, mayChoosePort: false };
  const isFree = (path: string): boolean => loaded.sources.get(path)?.kind === "default";
  const ours = Object.entries(conveniences).filter(([path]) => isFree(path));
  const usesOwnSecret = waysToAuthenticate.every(isFree);
  if (usesOwnSecret) ours.push(["auth.hs256_secret_file", secretFile]);
  return {
    flags: [...options.flags, ...ours.map(([path, value]) => `--${path}=${value}`)],
    usesOwnSecret,
    mayChoosePort: isFree("server.port"),
  };
}
