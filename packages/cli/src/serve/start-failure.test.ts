import { AuthSettingsError, settingsWith } from "@sluice/runtime";
import { LogError } from "@sluice/server";
import { describe, expect, it } from "vitest";
import { startFailure } from "./start-failure.js";

const settings = settingsWith({ server: { host: "127.0.0.1", port: 8081 }, log: { dir: "/tmp/sluice/log" } });
const failure = (fields: object): Error => Object.assign(new Error("listen failed"), fields);

describe("startFailure", () => {
  it.each([
    [failure({ code: "EADDRINUSE", port: 8081 }), "127.0.0.1:8081 is taken by another program", 75],
    [failure({ code: "EACCES", port: 80, syscall: "listen" }), "127.0.0.1:80 may not be listened on", 77],
    [failure({ code: "EADDRNOTAVAIL" }), "server.host 127.0.0.1 is no address of this machine", 78],
    [failure({ code: "ENOTFOUND" }), "server.host 127.0.0.1 is no address of this machine", 78],
    [
      failure({ code: "EACCES", path: "/tmp/sluice/log", syscall: "mkdir" }),
      "the service could not start: listen failed",
      1,
    ],
    [new AuthSettingsError("nobody can authenticate"), "nobody can authenticate", 78],
    [new LogError("LOG_LOCKED", "in use by process 7"), "/tmp/sluice/log: in use by process 7", 75],
    [new LogError("LOG_DAMAGED", "/tmp/sluice/log/data is damaged"), "/tmp/sluice/log/data is damaged", 1],
  ])("puts %s in words", (error, message, exitCode) => {
    expect(startFailure(error, settings)).toMatchObject({ name: "CliError", message, exitCode });
  });

  it("hands back what is a fault of ours", () => {
    for (const error of [new TypeError("x is not a function"), "odd", failure({ code: "ODD" })]) {
      expect(startFailure(error, settings)).toBe(error);
    }
  });
});
