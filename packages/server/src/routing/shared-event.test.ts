import { describe, expect, it, vi } from "vitest";
import { draftOf } from "../log/contract/log-under-test.js";
import type { Encoding } from "./encoding.js";
import { SharedEvent } from "./shared-event.js";
import { createSseEncoding } from "./sse-encoding.js";
import { websocketEncoding } from "./websocket-encoding.js";

describe("SharedEvent", () => {
  it("encodes once for each encoding, however many ask", () => {
    const event = new SharedEvent({ ...draftOf(1), seq: 9, appendedAtMs: 0 }, 5);
    const counted: Encoding = { ...websocketEncoding };
    const writeEvent = vi.spyOn(counted, "writeEvent");
    const bytes = event.bytes(counted);
    expect(event.bytes(counted)).toBe(bytes);
    expect(writeEvent).toHaveBeenCalledTimes(1);
    const sse = event.bytes(createSseEncoding("epoch"));
    expect(sse.toString()).toContain("id: epoch:9");
    expect(event.bytes(counted)).toBe(bytes);
    expect([event.seq, event.durableAtMs]).toEqual([9, 5]);
  });
});
