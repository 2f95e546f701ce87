import { afterEach, describe, expect, it, vi } from "vitest";
import { pathAddress, serviceAddress } from "./address.js";

afterEach(() => vi.unstubAllGlobals());

describe("serviceAddress", () => {
  it.each([
    ["http://a.test", "http://a.test/"],
    ["https://a.test/", "https://a.test/"],
    ["ws://a.test:81/ws", "http://a.test:81/"],
    ["wss://a.test/prefix/api/v1/ws", "https://a.test/prefix/"],
    ["https://a.test/prefix/api/v1/events#x", "https://a.test/prefix/"],
    ["https://user:secret@a.test", "https://a.test/"],
  ])("takes %s as %s", (text, address) => {
    expect(serviceAddress(text)).toBe(address);
  });

  it("is relative to the page, where there is one", () => {
    expect(() => serviceAddress("/ws")).toThrow(TypeError);
    vi.stubGlobal("location", { href: "https://page.test/app/index.html" });
    expect(serviceAddress("/ws")).toBe("https://page.test/");
  });

  it.each(["localhost:9000", "ftp://a.test"])("refuses %s, whose scheme is none of ours", (text) => {
    expect(() => serviceAddress(text)).toThrow("url must be http(s) or ws(s)");
  });

  it("refuses a query, where tokens are put by mistake", () => {
    expect(() => serviceAddress("wss://a.test/ws?token=secret")).toThrow("without a query");
  });
});

it("puts a query behind a path, without what is undefined", () => {
  expect(pathAddress("http://a.test/", "ws", { policy: "replay", max_messages: undefined, n: 1, list: "A,B*" })).toBe(
    "http://a.test/ws?policy=replay&n=1&list=A%2CB*",
  );
});
