import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventFromOptions } from "./event-from-options.js";

const stdin = (text: string): Readable => Readable.from([Buffer.from(text)]);

describe("eventFromOptions", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-event-"));
    await writeFile(join(folder, "payload.json"), '{ "from": "file" }\n');
    await writeFile(join(folder, "text.txt"), "text");
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("makes an event of all its options", async () => {
    const options = {
      event: "A",
      cluster: "c-1",
      id: "x",
      source: "s",
      subject: "t",
      timestamp: "2026-01-31T12:00:00Z",
      payload: "[1]",
    };
    const { json, eventId } = await eventFromOptions(options, stdin(""));
    expect(eventId).toBe("x");
    expect(JSON.parse(json)).toEqual({
      event_type: "A",
      cluster_id: "c-1",
      event_id: "x",
      source: "s",
      subject: "t",
      timestamp: "2026-01-31T12:00:00Z",
      payload: [1],
    });
  });

  it("gives it an id, which it is then sent with", async () => {
    const { json, eventId } = await eventFromOptions({ event: "A", payload: "null" }, stdin(""));
    expect(JSON.parse(json)).toEqual({ event_type: "A", payload: null, event_id: eventId });
  });

  it("reads the payload from a file or from stdin", async () => {
    const file = await eventFromOptions({ event: "A", payload: `@${join(folder, "payload.json")}` }, stdin(""));
    expect(JSON.parse(file.json)).toMatchObject({ payload: { from: "file" } });
    const piped = await eventFromOptions({ event: "A", payload: "@-" }, stdin('{"from":"stdin"}'));
    expect(JSON.parse(piped.json)).toMatchObject({ payload: { from: "stdin" } });
  });

  it.each([
    [{ event: "A" }, "--payload is missing", 64],
    [{ event: "A", payload: "text" }, "--payload is not JSON", 64],
    [{ event: "A", payload: "@none.json" }, "the payload file none.json does not exist", 66],
    [{ event: "A", payload: "1", timestamp: "now" }, "--timestamp must be an RFC 3339", 64],
    [{ event: "A", payload: "1", id: "" }, "--id must be", 64],
    [{ event: "A", payload: "1", subject: "a\nb" }, "--subject must be", 64],
    [{ event: "A", payload: "1e999" }, "--payload holds a number", 64],
  ])("refuses %j", async (options, message, exitCode) => {
    await expect(eventFromOptions(options, stdin(""))).rejects.toMatchObject({
      message: expect.stringContaining(message) as unknown,
      exitCode,
    });
  });

  it("names the file that is no JSON", async () => {
    const file = join(folder, "text.txt");
    await expect(eventFromOptions({ event: "A", payload: `@${file}` }, stdin(""))).rejects.toThrow(
      `the payload in ${file} is not JSON`,
    );
  });
});
