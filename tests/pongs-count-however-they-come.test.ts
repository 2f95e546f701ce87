// A `pong` that comes as its client writes it is taken before the stream and `ws` see it. It must make no difference.
import { setTimeout as pause } from "node:timers/promises";
import {
  connectionsOf,
  eventually,
  frameBytes,
  metricOf,
  mint,
  opcodes,
  RawSocket,
  startServer,
  within,
} from "@sluice/testkit";
import { describe, expect, it } from "vitest";

const token = mint();
const text = '{"type":"pong"}';
const bytesOf = (payload: string): Buffer => frameBytes({ payload });
/** So that what is sent next comes in a chunk of its own. */
const apartMs = 5;

async function connected(url: string): Promise<RawSocket> {
  const raw = await RawSocket.upgraded(url, { token });
  raw.socket.setNoDelay(true);
  expect((await raw.frame()).payload.toString()).toContain('"connected"');
  return raw;
}

async function sendApart(raw: RawSocket, chunks: readonly Buffer[]): Promise<void> {
  for (const chunk of chunks) {
    raw.send(chunk);
    await pause(apartMs);
  }
}

/** One pong, as chunks. */
const ways: readonly (readonly [string, () => Buffer[]])[] = [
  ["alone", () => [bytesOf(text)]],
  ["in two chunks", () => [bytesOf(text)].flatMap((bytes) => [bytes.subarray(0, 7), bytes.subarray(7)])],
  ["with a space", () => [bytesOf('{"type": "pong"}')]],
  ["in two fragments", () => [fragment('{"type":', false), fragment('"pong"}', true)]],
];

function fragment(payload: string, isLast: boolean): Buffer {
  return frameBytes({ payload, fin: isLast, opcode: isLast ? opcodes.continuation : opcodes.text });
}

describe.each(ways)("a pong that comes %s", (_way, make) => {
  it("is the answer to a ping, a command in the metrics, and bytes received", async () => {
    await using server = await startServer({ heartbeat: { interval_ms: 100, timeout_ms: 50, max_missed: 100 } });
    await using raw = await connected(server.url);
    await eventually("a pong to be missed", async () => {
      const [connection] = await connectionsOf(server.url);
      return (connection?.["missed_pongs"] as number) > 0 ? true : undefined;
    });
    const before = (await metricOf(server.url, "sluice_received_bytes_total")) ?? 0;
    await sendApart(raw, make());
    const shown = await eventually("the pong to be heard", async () => {
      const [connection] = await connectionsOf(server.url);
      return connection?.["last_pong_received"] === null ? undefined : connection;
    });
    expect(shown?.["is_alive"]).toBe(true);
    expect(await metricOf(server.url, 'sluice_commands_total{type="pong"}')).toBe(1);
    expect(await metricOf(server.url, "sluice_received_bytes_total")).toBeGreaterThanOrEqual(before + text.length);
  });

  it("is refused beyond the rate, and ends in 1008 where that never stops", async () => {
    const limits = { commands_per_second: 1, command_burst: 20 };
    await using server = await startServer({ limits });
    await using raw = await connected(server.url);
    for (let n = 0; n < 20; n += 1) await sendApart(raw, make());
    for (let n = 0; n < 20; n += 1) raw.send(Buffer.concat(make()));
    expect((await raw.frame()).payload.toString()).toContain("RATE_LIMITED");
    for (let n = 0; n < 200; n += 1) raw.send(Buffer.concat(make()));
    expect(await raw.closeFrame()).toMatchObject({ code: 1008 });
  });
});

describe("what only looks like a pong", () => {
  it("is a fault in the middle of a message", async () => {
    await using server = await startServer();
    await using raw = await connected(server.url);
    await sendApart(raw, [fragment('{"type":', false), bytesOf(text)]);
    expect(await raw.closeFrame()).toMatchObject({ code: 1002 });
  });

  it("is the payload of the frame that it comes in", async () => {
    await using server = await startServer();
    await using raw = await connected(server.url);
    const pong = bytesOf(text);
    // Under a mask of zeros the payload stands there as it is, and it is no UTF-8.
    await sendApart(raw, [Buffer.from([0x81, 0x80 | pong.length, 0, 0, 0, 0]), pong]);
    expect(await raw.closeFrame()).toMatchObject({ code: 1007 });
  });

  it("is nothing any more behind a close", async () => {
    await using server = await startServer();
    await using raw = await connected(server.url);
    await sendApart(raw, [frameBytes({ opcode: opcodes.close }), bytesOf(text)]);
    await within("the connection to be ended", raw.closed);
    expect(await metricOf(server.url, 'sluice_commands_total{type="pong"}')).toBe(0);
  });
});
