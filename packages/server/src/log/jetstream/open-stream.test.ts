import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hasNatsServer, startNatsServer, type NatsUnderTest } from "../contract/nats-under-test.js";
import { askJetStream } from "./jetstream-api.js";
import { describeStream, epochOf, findStream, openStream } from "./open-stream.js";
import { configFor, type StreamWish } from "./stream-config.js";

describe("the epoch of a stream", () => {
  const created = "2026-01-01T00:00:00Z";
  const config = configFor(
    {
      name: "LOG",
      prefix: "LOG",
      replicas: 1,
      storage: "file",
      retention: { maxEvents: null, maxAgeMs: null, maxBytes: null },
      duplicateWindowMs: 0,
    },
    "made by hand",
  );
  const epoch = "0f3f1a1c-95a8-4a5f-8ee5-3b8f4a1f9f10";

  it("is the one that its description names", () => {
    expect(epochOf({ config: { ...config, description: describeStream(epoch) }, created })).toBe(epoch);
  });

  it("else stands for its name and the time it was made", () => {
    const made = epochOf({ config, created });
    expect(made).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(epochOf({ config, created })).toBe(made);
    expect(epochOf({ config, created: "2026-01-02T00:00:00Z" })).not.toBe(made);
    expect(epochOf({ config: { ...config, name: "LOG2" }, created })).not.toBe(made);
  });
});

describe.runIf(hasNatsServer)("opening a stream of a real nats-server", () => {
  let server: NatsUnderTest;
  let nats: NatsConnection;
  let wish: StreamWish;
  let streams = 0;
  const changes: string[] = [];
  const open = (over: Partial<StreamWish> = {}) =>
    openStream(nats, { ...wish, ...over }, (change) => changes.push(change));

  beforeAll(async () => {
    server = await startNatsServer();
    nats = await server.connect();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    changes.splice(0);
    const name = `LOG${(streams += 1)}`;
    const retention = { maxEvents: 1000, maxAgeMs: null, maxBytes: null };
    wish = { name, prefix: name, replicas: 1, storage: "file", retention, duplicateWindowMs: 60_000 };
  });

  it("makes it once, and finds it the same afterwards", async () => {
    expect(await findStream(nats, wish.name)).toBeUndefined();
    const made = await open();
    const found = await open();
    expect(epochOf(found)).toBe(epochOf(made));
    expect(found.config).toMatchObject({ max_msgs: 1000, discard: "old", subjects: [`${wish.prefix}.events.>`] });
    expect(changes).toEqual([]);
  });

  it("brings its limits to the settings, and says so", async () => {
    await open();
    const changed = await open({ retention: { maxEvents: 2000, maxAgeMs: 1000, maxBytes: 5000 } });
    expect(changed.config).toMatchObject({ max_msgs: 2000, max_age: 1e9, max_bytes: 5000 });
    expect(changes).toEqual([expect.stringContaining(wish.name)]);
  });

  it("refuses one that another program made for something else", async () => {
    await askJetStream(nats, `STREAM.CREATE.${wish.name}`, { ...configFor(wish, ""), retention: "workqueue" }, 5000);
    await expect(open()).rejects.toMatchObject({
      code: "LOG_FORMAT",
      message: expect.stringMatching(/retention is workqueue/) as string,
    });
  });

  it("refuses at once where the room for its retention isn't there, with the setting and the server's", async () => {
    const retention = { maxEvents: null, maxAgeMs: null, maxBytes: 2 ** 52 };
    await expect(open({ retention })).rejects.toMatchObject({
      code: "LOG_FULL",
      message: expect.stringMatching(/4503599627370496 bytes \(log\.retention\.max_bytes\).*max_file_store/) as string,
    });
    expect(await findStream(nats, wish.name)).toBeUndefined();
  });
});
