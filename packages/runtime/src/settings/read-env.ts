// Settings from environment variables: `SLUICE_HEARTBEAT__INTERVAL_MS`.
import { envPrefix, settingKeys } from "./catalogue.js";
import { type Given, unknownKey } from "./given.js";
import { parseText } from "./parse-text.js";

/** Names of ours that are no settings: the file's path, and what the command line's client commands take. */
const reserved = new Set(["SLUICE_CONFIG", "SLUICE_URL", "SLUICE_TOKEN"]);

/**
 * Kubernetes sets these in every pod beside a Service named `sluice` or `sluice-…`
 * (kubernetes.io/docs/concepts/services-networking/service, "Environment variables"). They are nobody's mistake.
 */
const serviceHostOrPort = /^SLUICE_(?:[A-Z0-9]+_)*SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)$/;
const servicePart = /^SLUICE_(?:[A-Z0-9]+_)*PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/;
const servicePort = /^SLUICE_(?:[A-Z0-9]+_)*PORT$/;
const servicePortValue = /^(?:tcp|udp|sctp):\/\//;

function isKubernetes(name: string, value: string): boolean {
  if (serviceHostOrPort.test(name) || servicePart.test(name)) return true;
  return servicePort.test(name) && servicePortValue.test(value);
}

const keysByEnvName = new Map(settingKeys.map((key) => [key.envName, key]));

function envNameOf(path: string): string {
  return envPrefix + path.replaceAll(".", "__").toUpperCase();
}

/** Reads every `SLUICE_*` variable; one that is no setting is a problem, since it was meant to be one. */
export function readEnv(env: Readonly<Record<string, string | undefined>>): Given {
  const given: Given = { values: [], problems: [] };
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(envPrefix) || text === undefined || reserved.has(name)) continue;
    const source = { kind: "env", at: name } as const;
    const key = keysByEnvName.get(name);
    if (key !== undefined) {
      given.values.push({ key, value: parseText(key, text), source });
    } else if (!isKubernetes(name, text)) {
      const meant = name.slice(envPrefix.length).toLowerCase().replaceAll("__", ".");
      given.problems.push({ ...unknownKey(meant, source, envNameOf), path: name });
    }
  }
  return given;
}
