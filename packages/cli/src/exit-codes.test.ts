import { serviceExitCodes, signalExitCode } from "@sluice/runtime";
import { expect, it } from "vitest";
import { exitCodes } from "./exit-codes.js";

it("agrees with the runtime's codes of services", () => {
  const { ok, usage, internal, temporary, config } = serviceExitCodes;
  expect(exitCodes).toMatchObject({ ok, usage, software: internal, temporary, config });
  expect(exitCodes.interrupted).toBe(signalExitCode("SIGINT"));
});
