import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SluiceWebSocket } from "./sluice-web-socket.js";
import { newWriteRequest, readInto } from "./tcp-handle.js";
import { WebSocketSink } from "./websocket-sink.js";
import { writeAtOnce } from "./write-at-once.js";

const chunkBytes = 100_000;

let server: Server;
let near: Socket;
let far: Socket;
/** What came to the far end; nothing does while it is paused. */
let received: Buffer[];
let sink: WebSocketSink;

beforeEach(async () => {
  server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  far = connect((server.address() as AddressInfo).port, "127.0.0.1");
  [near] = (await once(server, "connection")) as [Socket];
  near.on("error", () => {});
  far.on("error", () => {});
  received = [];
  far.on("data", (chunk) => received.push(chunk)).pause();
  const webSocket = Object.assign(Object.create(SluiceWebSocket.prototype) as SluiceWebSocket, {
    _readyState: SluiceWebSocket.OPEN,
  });
  sink = new WebSocketSink(webSocket, near, new Set());
});

afterEach(() => {
  near.destroy();
  far.destroy();
  server.close();
});

/** Chunks that differ, until one isn't taken whole. */
function fill(): Buffer[] {
  const chunks: Buffer[] = [];
  for (let isTaken = true; isTaken;) {
    const chunk = Buffer.alloc(chunkBytes, chunks.length % 251);
    chunks.push(chunk);
    isTaken = sink.write(chunk);
  }
  return chunks;
}

/** `once` would fail with the error that comes before it. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

async function allReceived(): Promise<Buffer> {
  near.end();
  far.resume();
  await once(far, "end");
  return Buffer.concat(received);
}

describe("writing at once", () => {
  it("is there in this version of Node", () => {
    expect(newWriteRequest).toBeDefined();
    expect(writeAtOnce(near, Buffer.from("a"))).toBe("taken");
    expect(near.writableLength).toBe(0);
  });

  it("leaves to the stream what must wait for the stream", async () => {
    near.cork();
    near.write("first ");
    expect(writeAtOnce(near, Buffer.from("never"))).toBe("untried");
    expect(sink.write(Buffer.from("second "))).toBe(true);
    near.uncork();
    expect(sink.write(Buffer.from("third"))).toBe(true);
    expect((await allReceived()).toString()).toBe("first second third");
    expect(writeAtOnce(near, Buffer.from("late"))).toBe("untried");
  });

  it("leaves to the stream what can't be written, which tells of it", async () => {
    far.resetAndDestroy();
    await closeOf(near);
    expect(writeAtOnce(near, Buffer.from("late"))).toBe("untried");
    expect(sink.write(Buffer.from("late"))).toBeTypeOf("boolean");
  });

  it("of more than the kernel takes says so, keeps what is written after it behind it, and tells when it has drained", async () => {
    const chunks = fill();
    expect(sink.holdsBytes).toBe(true);
    const last = Buffer.alloc(1000, 255);
    near.write(last);
    const drained = once(near, "drain");
    far.resume();
    await drained;
    expect(sink.holdsBytes).toBe(false);
    // And once more, as it is the next request that is used now.
    far.pause();
    const more = fill();
    const expected = Buffer.concat([...chunks, last, ...more]);
    expect((await allReceived()).equals(expected)).toBe(true);
  });

  it("ends well where the connection ends under it, at either side", async () => {
    fill();
    const closed = closeOf(near);
    far.resetAndDestroy();
    await closed;
    expect(near.destroyed).toBe(true);
  });

  it("ends well where this side ends it", async () => {
    let drains = 0;
    near.on("drain", () => (drains += 1));
    fill();
    const closed = closeOf(near);
    near.destroy();
    await closed;
    expect(drains).toBe(0);
  });
});

describe("readInto", () => {
  it("reads into the memory given, stops at a false, and goes on with the stream", async () => {
    const memory = Buffer.alloc(8);
    const pieces: string[] = [];
    let told: () => void = () => {};
    let isTaken = false;
    const isRead = readInto(near, memory, (count) => {
      pieces.push(memory.toString("latin1", 0, count));
      told();
      return isTaken;
    });
    expect(isRead).toBe(true);
    const first = new Promise<void>((resolve) => (told = resolve));
    far.write("12345678abcdefgh");
    near.resume();
    await first;
    expect(pieces).toEqual(["12345678"]);
    isTaken = true;
    const second = new Promise<void>((resolve) => (told = resolve));
    near.read(0);
    await second;
    expect(pieces).toEqual(["12345678", "abcdefgh"]);
    const ended = once(near, "end");
    far.end();
    await ended;
  });
});
