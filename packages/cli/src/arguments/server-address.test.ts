import { describe, expect, it } from "vitest";
import { serverAddress, showAddress } from "./server-address.js";

describe("serverAddress", () => {
  it.each([
    ["http://127.0.0.1:8081", "http://127.0.0.1:8081/"],
    ["http://127.0.0.1:8081/", "http://127.0.0.1:8081/"],
    ["ws://localhost:8081/ws", "http://localhost:8081/"],
    ["wss://events.example.org/api/v1/ws", "https://events.example.org/"],
    ["https://example.org/sluice", "https://example.org/sluice/"],
    ["https://example.org/sluice/api/v1/events", "https://example.org/sluice/"],
  ])("takes %s as %s", (text, href) => {
    expect(serverAddress(text).href).toBe(href);
  });

  it.each([
    ["127.0.0.1:8081", "URL"],
    ["", "URL"],
    ["ftp://example.org", "http://"],
    ["http://me:secret@example.org", "without user"],
    ["http://example.org/?token=abc", "--token"],
    ["http://example.org/#a", "without user"],
  ])("refuses %j", (text, message) => {
    expect(() => serverAddress(text)).toThrow(message);
  });

  it("is shown without a slash at its end", () => {
    expect(showAddress(serverAddress("https://example.org/sluice"))).toBe("https://example.org/sluice");
  });
});
