// From values by path to the nested, frozen object that the rest of the process is given.
import { settingKeys } from "./catalogue.js";
import type { Settings } from "./schema.js";

type Tree = { [name: string]: unknown };

function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const child of Object.values(value)) deepFreeze(child);
}

/**
 * Nests values that have been checked; keys that `values` doesn't hold get their defaults. Paths come from the
 * catalogue only, so no name of a caller's becomes a property.
 */
export function assembleSettings(values: ReadonlyMap<string, unknown>): Settings {
  const root: Tree = {};
  for (const key of settingKeys) {
    const names = key.path.split(".");
    const last = names.pop() ?? key.path;
    let node = root;
    for (const name of names) node = (node[name] ??= {}) as Tree;
    node[last] = structuredClone(values.has(key.path) ? values.get(key.path) : key.default);
  }
  deepFreeze(root);
  return root as Settings;
}

/** The settings when nothing is configured. No authentication among them: a server refuses to start with just these. */
export const defaultSettings: Settings = assembleSettings(new Map());

/** The value at a path of the catalogue. */
export function settingAt(settings: Settings, path: string): unknown {
  let node: unknown = settings;
  for (const name of path.split(".")) node = (node as Tree)[name];
  return node;
}
