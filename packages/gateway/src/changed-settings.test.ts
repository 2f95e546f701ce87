import { settingsWith } from "@sluice/runtime";
import { expect, it } from "vitest";
import { changedSettings } from "./changed-settings.js";

const before = settingsWith({ gateway: { upstreams: ["http://a:1"] } });

it("names what is used at once and what waits for a restart, never a value", () => {
  const after = settingsWith({
    gateway: { upstreams: ["http://a:1", "http://b:1"], limits: { connections: 7 }, port: 1234 },
    auth: { hs256_secret: "a secret that nobody may read in a log" },
  });
  expect(changedSettings(before, after)).toEqual({
    applied: ["gateway.upstreams", "gateway.limits.connections"],
    waiting: ["gateway.port", "auth.hs256_secret"],
  });
});

it("finds nothing where nothing changed", () => {
  expect(changedSettings(before, settingsWith({ gateway: { upstreams: ["http://a:1"] } }))).toEqual({
    applied: [],
    waiting: [],
  });
});
