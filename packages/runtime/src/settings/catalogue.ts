// The schema as a flat list of keys, for everything that goes through all of them.
import { type TObject, type TSchema, IsObject } from "typebox";
import { settingsSchema } from "./schema.js";
import type { Setting, SettingFacts } from "./setting.js";

/** One key of the settings. */
export interface SettingKey extends SettingFacts {
  /** With dots: `heartbeat.interval_ms`. */
  readonly path: string;
  /** Its environment variable: `SLUICE_HEARTBEAT__INTERVAL_MS`. */
  readonly envName: string;
  readonly schema: TSchema;
}

/** What every environment variable of ours begins with. */
export const envPrefix = "SLUICE_";

function isSetting(schema: TSchema): schema is Setting {
  return "facts" in schema;
}

function* keysOf(section: TObject, prefix: string): Generator<SettingKey> {
  for (const [name, schema] of Object.entries(section.properties)) {
    const path = `${prefix}${name}`;
    if (isSetting(schema)) {
      const envName = envPrefix + path.replaceAll(".", "__").toUpperCase();
      yield { ...schema.facts, path, envName, schema };
    } else if (IsObject(schema)) {
      yield* keysOf(schema, `${path}.`);
    } else {
      throw new Error(`the schema of ${path} is neither a setting nor a section`);
    }
  }
}

/** Every key in the order of the documentation. */
export const settingKeys: readonly SettingKey[] = [...keysOf(settingsSchema, "")];

/** Keys by their path. */
export const settingKeysByPath: ReadonlyMap<string, SettingKey> = new Map(settingKeys.map((key) => [key.path, key]));
