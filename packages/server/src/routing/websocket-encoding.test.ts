import type { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import * as ws from "ws";
import type { EventRecord } from "../log/event-log.js";
import { encodeEvent } from "./encoding.js";
import { textFrame, websocketEncoding } from "./websocket-encoding.js";

/** The reader of frames of `ws`, which its types leave out. */
const { Receiver } = ws as unknown as {
  readonly Receiver: new (options: { readonly isServer: boolean; readonly maxPayload: number }) => Writable;
};

/** Reads text frames as a client does. */
async function receive(bytes: Buffer): Promise<string[]> {
  const receiver = new Receiver({ isServer: false, maxPayload: 0 });
  const texts: string[] = [];
  receiver.on("message", (data: Buffer, isBinary: boolean) => {
    expect(isBinary).toBe(false);
    texts.push(data.toString("utf8"));
  });
  await new Promise<void>((resolve, reject) => {
    receiver.on("error", reject);
    receiver.write(bytes, () => resolve());
  });
  return texts;
}

function recordOf(seq: number, fields: Buffer): EventRecord {
  return { seq, fields, eventId: "e", eventType: "A", clusterId: undefined, appendedAtMs: 0 };
}

/** A record of which the JSON is `bytes` long. */
function recordOfLength(bytes: number): EventRecord {
  const around = '{"type":"event","seq":7,"p":""}'.length;
  return recordOf(7, Buffer.from(`"p":"${"x".repeat(bytes - around)}"`));
}

describe("websocketEncoding", () => {
  it.each([
    [125, 2],
    [126, 4],
    [127, 4],
    [65_535, 4],
    [65_536, 10],
    [65_537, 10],
  ])("gives %i bytes of JSON a header of %i bytes, and a client reads it back", async (length, header) => {
    const record = recordOfLength(length);
    const frame = encodeEvent(websocketEncoding, record);
    expect([frame.length, websocketEncoding.eventBytes(record)]).toEqual([header + length, header + length]);
    expect(frame[0], "FIN and text").toBe(0x81);
    expect((frame[1] as number) & 0x80, "no mask").toBe(0);
    const [text] = await receive(frame);
    expect(text).toBe(`{"type":"event","seq":7,${record.fields.toString()}}`);
    expect(await receive(textFrame("y".repeat(length)))).toEqual(["y".repeat(length)]);
    expect(textFrame("y".repeat(length)).length).toBe(header + length);
  });

  it.each([1, 9, 10, 99, 100, 2 ** 32, 2 ** 53 - 1])("writes seq %i whole", async (seq) => {
    const [text] = await receive(encodeEvent(websocketEncoding, recordOf(seq, Buffer.from('"a":1'))));
    expect(JSON.parse(text ?? "")).toEqual({ type: "event", seq, a: 1 });
  });

  it("counts characters outside ASCII in bytes", async () => {
    const fields = Buffer.from('"payload":"größe ✓ 🚰"');
    const frame = encodeEvent(websocketEncoding, recordOf(3, fields));
    expect(await receive(frame)).toEqual([`{"type":"event","seq":3,${fields.toString()}}`]);
    expect(await receive(textFrame("größe ✓ 🚰"))).toEqual(["größe ✓ 🚰"]);
  });

  it("writes events next to each other where it is told to", async () => {
    const records = [recordOfLength(125), recordOfLength(70_000), recordOfLength(126)];
    const target = Buffer.alloc(records.reduce((sum, record) => sum + websocketEncoding.eventBytes(record), 5));
    let at = 5;
    for (const record of records) at = websocketEncoding.writeEvent(record, target, at);
    expect(at).toBe(target.length);
    const texts = await receive(target.subarray(5));
    expect(texts.map((text) => text.length)).toEqual([125, 70_000, 126]);
  });

  it("encodes our other frames as their JSON", async () => {
    const frame = { type: "ping", timestamp: "2026-01-31T12:00:00.000Z", seq: 4 } as const;
    expect(await receive(websocketEncoding.encodeFrame(frame))).toEqual([JSON.stringify(frame)]);
  });
});
