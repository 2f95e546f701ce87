import { describe, expect, it } from "vitest";
import { httpUrl, serverAddress, showAddress, webSocketUrl } from "./server-address.js";

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

  it("leads to the paths of the protocol, below a prefix too", () => {
    const base = serverAddress("https://example.org/sluice");
    expect(httpUrl(base, "api/v1/events").href).toBe("https://example.org/sluice/api/v1/events");
    expect(webSocketUrl(base, { policy: "replay", max_messages: "10" }).href).toBe(
      "wss://example.org/sluice/ws?policy=replay&max_messages=10",
    );
    expect(webSocketUrl(serverAddress("http://127.0.0.1:8081"), {}).href).toBe("ws://127.0.0.1:8081/ws");
    expect(showAddress(base)).toBe("https://example.org/sluice");
  });
});
