import { describe, expect, it } from "vitest";
import { isHost, isLoopback, isOrigin, isTrustworthyUrl } from "./endpoint-address.js";

describe("isLoopback", () => {
  it.each(["127.0.0.1", "127.255.255.254", "::1", "[::1]", "0:0:0:0:0:0:0:1", "localhost", "LOCALHOST"])(
    "%s",
    (host) => {
      expect(isLoopback(host)).toBe(true);
    },
  );

  it.each([
    "0.0.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "::",
    "::2",
    "10.0.0.1",
    "localhost.example",
    "127.0.0.1.example",
    "",
  ])("not %s", (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe("isHost", () => {
  it.each(["0.0.0.0", "::", "a", "a-b.example.", "x".repeat(63)])("%s", (host) => {
    expect(isHost(host)).toBe(true);
  });

  it.each(["", "[::1]", "a b", "a:80", "-a", "a..b", "x".repeat(64), "a\n"])("not %j", (host) => {
    expect(isHost(host)).toBe(false);
  });
});

describe("isOrigin", () => {
  it.each([
    "https://a.example",
    "http://localhost:5173",
    "http://[::1]:80",
    "tauri://localhost",
    "chrome-extension://abc",
  ])("%s", (origin) => {
    expect(isOrigin(origin)).toBe(true);
  });

  it.each(["", "a.example", "https://a.example/", "https://A.example", "https://a@b.example", "null"])(
    "not %j",
    (origin) => {
      expect(isOrigin(origin)).toBe(false);
    },
  );
});

describe("isTrustworthyUrl", () => {
  it.each(["https://a.example/x?y=z", "http://127.0.0.1:8/", "http://localhost", "http://[::1]/"])("%s", (url) => {
    expect(isTrustworthyUrl(url)).toBe(true);
  });

  it.each([
    "http://a.example",
    "ftp://a.example",
    "https://u@a.example",
    "https://:p@a.example",
    "https://a.example/#x",
    "a.example",
    `https://a/${"x".repeat(2_048)}`,
  ])("not %s", (url) => {
    expect(isTrustworthyUrl(url)).toBe(false);
  });
});
