import { expect, it } from "vitest";
import { defaultSettings } from "./defaults.js";
import { settingsWith } from "./settings-with.js";

it("lays what is named over the defaults", () => {
  const settings = settingsWith({ heartbeat: { interval_ms: 50 }, log: { engine: "memory" } });
  expect(settings.heartbeat).toEqual({ ...defaultSettings.heartbeat, interval_ms: 50 });
  expect(settings.log).toEqual({ ...defaultSettings.log, engine: "memory" });
});

it("throws every problem of what is named", () => {
  expect(() => settingsWith({ heartbeat: { interval_ms: 0, close_code: 1006 } })).toThrow(
    "settings made in code are wrong: heartbeat.interval_ms is 0; allowed: an integer from 1 to 3600000 (ms) (code); " +
      "heartbeat.close_code is 1006; allowed: 1000 or an integer from 4000 to 4999 (code)",
  );
});

it("throws what does not go together", () => {
  expect(() => settingsWith({ auth: { dev: true }, server: { host: "::" } })).toThrow("auth.dev opens auth.dev to ::");
});
