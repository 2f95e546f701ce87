// Every handshake of the table, on both doors: refused with the right status, the connection ended, and the door serves on.
import { createHash } from "node:crypto";
import { RawSocket, request, within } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doors, errorsOf, type Door } from "./doors.js";
import { acceptedHandshakes, allowedOrigin, refusedHandshakes } from "./handshake-cases.js";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const accept = createHash("sha1").update(`dGhlIHNhbXBsZSBub25jZQ==${guid}`).digest("base64");

describe.each(doors)("the %s refuses a handshake for", (_name, open) => {
  let door: Door;
  beforeAll(async () => {
    door = await open({ allowedOrigins: [allowedOrigin] });
  });
  afterAll(async () => {
    await door[Symbol.asyncDispose]();
  });

  describe.each(refusedHandshakes)("%s", (_group, cases) => {
    it.each(cases)("$name ($because)", async ({ bytes, status }) => {
      await using raw = await RawSocket.connect(door.url);
      raw.send(bytes);
      const head = await raw.head().catch(() => undefined);
      expect(status).toContain(head?.status ?? 0);
      if (head?.status === 426) expect(head.headers.get("sec-websocket-version")).toBe("13");
      if (head?.status === 401) expect(head.headers.get("www-authenticate")).toMatch(/^Bearer/);
      await within("the refused connection to be ended", raw.closed);
      expect(raw.rest.length, "nothing behind the answer").toBe(0);
    });
  });

  it.each(acceptedHandshakes)("nothing: %s (%s)", async (_what, _because, bytes) => {
    await using raw = await RawSocket.connect(door.url);
    raw.send(bytes);
    const { status, headers } = await raw.head();
    expect([status, headers.get("sec-websocket-accept")]).toEqual([101, accept]);
    expect(headers.get("upgrade")?.toLowerCase()).toBe("websocket");
    expect(headers.get("connection")?.toLowerCase()).toBe("upgrade");
    expect(headers.has("sec-websocket-protocol")).toBe(false);
    expect((await raw.frame()).payload.toString()).toContain('"connected"');
  });

  it("nothing: behind a request that was answered (RFC 9112 §9.3)", async () => {
    await using raw = await RawSocket.connect(door.url);
    raw.send("GET /api/v1/events HTTP/1.1\r\nHost: a\r\n\r\n");
    expect((await raw.head()).status).toBe(401);
    raw.send(acceptedHandshakes[0]?.[2] ?? "");
    expect((await raw.head()).status).toBe(101);
  });

  it("and is as it was after all of it", async () => {
    expect((await request(door.url, "/readyz")).status).toBe(200);
    expect(errorsOf(door)).toEqual([]);
  });
});
