export * from "./clock.js";
export { type SettingKey, settingKeys } from "./settings/catalogue.js";
export { defaultSettings } from "./settings/defaults.js";
export { isLoopback } from "./settings/endpoint-address.js";
export { loadSettings, type LoadSettingsOptions, type LoadSettingsOutcome } from "./settings/load-settings.js";
export { formatProblem, type SettingProblem, type SettingSource } from "./settings/problem.js";
export type { Settings } from "./settings/schema.js";
export { settingsWith, type SettingsOverrides } from "./settings/settings-with.js";
export { scrub } from "./telemetry/scrub.js";
