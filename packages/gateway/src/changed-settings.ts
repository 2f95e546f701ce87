// What a reload changes: by name only, since values may be secret.
import type { Settings } from "@sluice/runtime";

/** Names of settings that differ. */
export interface ChangedSettings {
  /** In use from now on. */
  readonly applied: readonly string[];
  /** In use after a restart. */
  readonly waiting: readonly string[];
}

/** What a gateway reads anew while it runs: settings, and groups of them. */
const hot: readonly string[] = [
  "gateway.upstreams",
  "gateway.allowed_origins",
  "gateway.allowed_hosts",
  "gateway.trusted_proxies",
  "gateway.limits",
  "gateway.tunnel",
  "gateway.drain_ms",
];
/** The sections that a gateway looks at. */
const sections = ["gateway", "auth", "limits", "telemetry"] as const;

/** Compares two readings of the settings. */
export function changedSettings(before: Settings, after: Settings): ChangedSettings {
  const names = sections.flatMap((section) => differences(section, before[section], after[section]));
  const isHot = (name: string): boolean => hot.some((group) => name === group || name.startsWith(`${group}.`));
  return { applied: names.filter(isHot), waiting: names.filter((name) => !isHot(name)) };
}

function differences(name: string, before: unknown, after: unknown): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!isGroup(before) || !isGroup(after)) return [name];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(`${name}.${key}`, before[key], after[key]));
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
