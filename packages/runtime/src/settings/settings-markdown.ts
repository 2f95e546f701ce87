// The table of docs/settings.md.
import { settingKeys, type SettingKey } from "./catalogue.js";
import { yamlValue } from "./print-settings.js";

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function row(key: SettingKey): string {
  const secret = key.secret ? " Secret: never printed." : "";
  const cells = [`\`${key.path}\``, `\`${yamlValue(key.default)}\``, cell(key.allowed), cell(key.description + secret)];
  return `| ${cells.join(" | ")} |`;
}

/** docs/settings.md: every setting by section, with how settings are given. */
export function settingsMarkdown(): string {
  const sections = new Map<string, SettingKey[]>();
  for (const key of settingKeys) {
    const section = key.path.slice(0, key.path.indexOf("."));
    sections.set(section, [...(sections.get(section) ?? []), key]);
  }
  const tables = [...sections].flatMap(([section, keys]) => [
    `## ${section}`,
    "",
    "| key | default | allowed | what it does |",
    "|---|---|---|---|",
    ...keys.map(row),
    "",
  ]);
  return [...introduction, ...tables].join("\n");
}

const introduction = [
  "# Settings",
  "",
  "Made by `node tools/generate-docs.mjs` from the schema in `packages/runtime/src/settings`; edit that.",
  "",
  "A setting is taken from the first of these that has it:",
  "",
  "1. a flag, `--heartbeat.interval_ms=1000` or `--heartbeat.interval_ms 1000` (a boolean alone is true);",
  "2. an environment variable, `SLUICE_HEARTBEAT__INTERVAL_MS=1000`: upper case, two underscores between levels;",
  "3. the YAML file that `SLUICE_CONFIG` or `--config` names, at most 1 MiB;",
  "4. its default.",
  "",
  "Numbers are written in full, without exponent or unit. In flags and environment variables a list is separated by",
  "commas, a list of objects is JSON, and null is `null` or nothing at all. A key that does not exist is an error",
  "everywhere, and every error is reported at once. `sluice config print` writes a file with every key, its",
  "description and its default.",
  "",
];
