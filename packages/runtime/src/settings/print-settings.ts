// Settings as the YAML that loads them again: `sluice config print`.
import { type SettingKey, settingKeys } from "./catalogue.js";
import { defaultSettings, settingAt } from "./defaults.js";
import type { Settings } from "./schema.js";
import { secretMask } from "./sections/auth-settings.js";

/** How to print. */
export interface PrintSettingsOptions {
  /** Whether each key has its description, range and environment variable above it. Default false. */
  readonly comments?: boolean;
}

const commentColumns = 110;
const indentation = "  ";
/** Characters that JSON leaves as they are and YAML calls not printable or takes for a line's end (YAML 1.2.2 §5.1, §5.4). */
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A value in YAML; YAML 1.2 takes all JSON, so a value is on one line whatever is in it. */
export function yamlValue(value: unknown): string {
  return JSON.stringify(value).replaceAll(unprintable, escaped);
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function comments(key: SettingKey, indent: string): string[] {
  const allowed = `Allowed: ${key.allowed}. Default: ${yamlValue(key.default)}.`;
  const columns = commentColumns - indent.length;
  return [...wrap(key.description, columns), ...wrap(allowed, columns), key.envName].map(
    (line) => `${indent}# ${line}`,
  );
}

/**
 * The effective value as it may be shown: a secret is `***`, which loading refuses; one that was read from a file is
 * null, since the file is named beside it.
 */
function printable(settings: Settings, key: SettingKey): unknown {
  const value = settingAt(settings, key.path);
  if (!key.secret || value === null) return value;
  const fromFile = key.path === "auth.hs256_secret" && settings.auth.hs256_secret_file !== null;
  return fromFile ? null : secretMask;
}

/** YAML of `settings`, the defaults when absent. Loads to the same settings where no secret is among them. */
export function printSettings(settings: Settings = defaultSettings, options: PrintSettingsOptions = {}): string {
  const lines: string[] = [];
  let open: string[] = [];
  for (const key of settingKeys) {
    const parts = key.path.split(".");
    const names = parts.slice(0, -1);
    const shared = names.findIndex((name, depth) => open[depth] !== name);
    for (let depth = shared === -1 ? names.length : shared; depth < names.length; depth += 1) {
      if (depth === 0 && lines.length > 0) lines.push("");
      lines.push(`${indentation.repeat(depth)}${names[depth]}:`);
    }
    open = names;
    const indent = indentation.repeat(names.length);
    if (options.comments === true) lines.push(...comments(key, indent));
    lines.push(`${indent}${parts.at(-1)}: ${yamlValue(printable(settings, key))}`);
  }
  return `${lines.join("\n")}\n`;
}
