import { describe, expect, it } from "vitest";
import { planStart } from "./start-settings.js";

describe("planStart", () => {
  it("adds what makes trying it out easy", () => {
    expect(planStart({ env: {}, flags: [] })).toEqual({
      flags: [
        "--log.dir=data/log",
        "--demo.enabled=true",
        "--telemetry.log_pretty=true",
        "--auth.hs256_secret_file=data/secret",
      ],
      usesOwnSecret: true,
      freePorts: ["server.port", "gateway.port"],
    });
  });

  it("leaves alone whatever was configured, by flag or environment", () => {
    const env = { SLUICE_DEMO__ENABLED: "false", SLUICE_SERVER__PORT: "9000" };
    const plan = planStart({ env, flags: ["--log.dir=/tmp/sluice-log", "--auth.dev"] });
    expect(plan).toEqual({
      flags: ["--log.dir=/tmp/sluice-log", "--auth.dev", "--telemetry.log_pretty=true"],
      usesOwnSecret: false,
      freePorts: ["gateway.port"],
    });
  });

  it("adds nothing to what is wrong, so that loading tells it all", () => {
    const plan = planStart({ env: {}, flags: ["--server.port=x"] });
    expect(plan).toEqual({ flags: ["--server.port=x"], usesOwnSecret: false, freePorts: [] });
  });
});
