import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { createLogger } from "../telemetry/logger.js";
import { serviceExitCodes, signalExitCode } from "./exit-codes.js";
import type { ShutdownStage } from "./shutdown.js";
import { superviseProcess } from "./supervise-process.js";

const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ";

function setUp(stages?: readonly ShutdownStage[]) {
  const events = new EventEmitter();
  const lines: string[] = [];
  const logger = createLogger({
    service: "sluice",
    destination: { write: (line) => void lines.push(line), flushSync: () => undefined },
  });
  const codes: number[] = [];
  let exit = (code: number): void => void codes.push(code);
  const exited = new Promise<number>((resolve) => {
    exit = (code) => {
      codes.push(code);
      resolve(code);
    };
  });
  const supervision = superviseProcess({ events, exit, logger, ...(stages === undefined ? {} : { stages }) });
  return { events, lines, codes, exited, supervision };
}

const stage = (run: () => Promise<void>): ShutdownStage => ({ name: "stage", deadlineMs: 1_000, run });

describe("the first signal", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"])("%s runs the stages, then exits with 0", async (signal) => {
    const order: string[] = [];
    const { events, exited, supervision } = setUp([
      stage(async () => void order.push("drain")),
      stage(async () => void order.push("close")),
    ]);
    expect(supervision.interrupted.aborted).toBe(false);
    events.emit(signal);
    expect(supervision.interrupted.reason).toBe(signal);
    await expect(exited).resolves.toBe(serviceExitCodes.ok);
    expect(order).toEqual(["drain", "close"]);
  });

  it("exits with 70 when a stage failed", async () => {
    const { events, exited } = setUp([stage(() => Promise.reject(new Error("broken")))]);
    events.emit("SIGTERM");
    await expect(exited).resolves.toBe(70);
  });

  it("only interrupts where there are no stages", async () => {
    const { events, codes, supervision } = setUp();
    events.emit("SIGINT");
    await Promise.resolve();
    expect([supervision.interrupted.aborted, codes]).toEqual([true, []]);
  });
});

describe("the second signal", () => {
  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
  ] as const)("%s ends at once with %i", (signal, code) => {
    const { events, codes } = setUp([stage(() => new Promise(() => undefined))]);
    events.emit("SIGTERM");
    expect(codes).toEqual([]);
    events.emit(signal);
    expect(codes).toEqual([code]);
    expect(signalExitCode(signal)).toBe(code);
  });
});

describe("a fault that nobody caught", () => {
  it.each(["uncaughtException", "unhandledRejection"])("as %s is logged without tokens and exits with 70", (event) => {
    const { events, codes, lines } = setUp();
    events.emit(event, Object.assign(new Error(`bad token=${jwt}`), { headers: { authorization: jwt } }));
    expect(codes).toEqual([70]);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "fatal", err: { message: "bad token=[redacted]" } });
    expect(lines.join("")).not.toContain(jwt);
  });
});

it("lets go when it is released", () => {
  const { events, supervision } = setUp();
  supervision.release();
  expect(events.eventNames()).toEqual([]);
});
