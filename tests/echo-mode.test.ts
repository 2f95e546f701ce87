// The test mode: any message comes back as it came, through the service's framing and through the gateway's; and it can't
// be had where others could reach it.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  frameBytes,
  opcodes,
  RawSocket,
  sluiceProgram,
  spawnProgram,
  within,
  type SpawnedProgram,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";

const commands = [
  ["serve", { "server.port": 0, "server.compression": true }],
  ["gateway", { "gateway.port": 0, "server.compression": true }],
] as const;

describe.each(commands)("sluice %s --echo", (command, settings) => {
  let program: SpawnedProgram;
  beforeAll(async () => {
    program = await spawnProgram(command, { settings, args: ["--echo"] });
  });
  afterAll(async () => {
    program.child.kill("SIGTERM");
    await within("the echo to end", program.output.exited);
  });

  it("is loud about it", () => {
    expect(program.output.stderr).toContain("ECHO MODE");
  });

  it.each([
    [0, false],
    [125, false],
    [126, false],
    [65_535, false],
    [65_536, false],
    [1_048_576, false],
    [0, true],
    [65_536, true],
    [4_194_304, true],
  ])("sends %i bytes back, compressed: %s, without a token", async (size, perMessageDeflate) => {
    const webSocket = new WebSocket(`${program.url.replace("http", "ws")}/ws`, { perMessageDeflate });
    await new Promise((resolve, reject) => webSocket.once("open", resolve).once("error", reject));
    expect(webSocket.extensions).toBe(perMessageDeflate ? "permessage-deflate" : "");
    for (const [sent, binary] of [
      [randomBytes(size), true],
      ["ä".repeat(size / 2), false],
    ] as const) {
      const echoed = new Promise<{ data: Buffer; isBinary: boolean }>((resolve) =>
        webSocket.once("message", (data, isBinary) => resolve({ data: data as Buffer, isBinary })),
      );
      webSocket.send(sent, { binary });
      const { data, isBinary } = await within("the echo", echoed);
      expect(isBinary).toBe(binary);
      expect(data.equals(Buffer.from(sent))).toBe(true);
    }
    webSocket.close();
  });

  it("joins a thousand fragments, answers pings between them, and closes what breaks a rule", async () => {
    await using raw = await RawSocket.upgraded(program.url, {});
    const fragments = Array.from({ length: 998 }, () =>
      frameBytes({ opcode: opcodes.continuation, fin: false, payload: "b" }),
    );
    const ping = frameBytes({ opcode: opcodes.ping, payload: "p" });
    const last = frameBytes({ opcode: opcodes.continuation, payload: "c" });
    raw.send(Buffer.concat([frameBytes({ fin: false, payload: "a" }), ...fragments, ping, last]));
    expect((await raw.frame()).opcode).toBe(opcodes.pong);
    expect((await raw.frame()).payload.toString()).toBe(`a${"b".repeat(998)}c`);
    raw.send(frameBytes({ rsv: 2, payload: "x" }));
    expect((await raw.closeFrame()).code).toBe(1002);
  });
});

it.each([
  ["serve", "--server.host=0.0.0.0"],
  ["serve", "--server.host=::"],
  ["gateway", "--gateway.host=0.0.0.0"],
  ["gateway", "--gateway.upstreams=http://203.0.113.1:8081"],
])("sluice %s --echo %s does not start", (command, flag) => {
  const { status, stderr } = spawnSync(process.execPath, [sluiceProgram, command, "--echo", flag], {
    env: { PATH: process.env["PATH"] ?? "" },
    encoding: "utf8",
    timeout: 20_000,
  });
  expect([status, stderr]).toEqual([78, expect.stringMatching(/loopback|127\.0\.0/)]);
});
