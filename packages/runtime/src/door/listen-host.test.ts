import { expect, it } from "vitest";
import { listenHost } from "./listen-host.js";

it.each([
  ["localhost", "127.0.0.1"],
  ["LOCALHOST", "127.0.0.1"],
  ["::1", "::1"],
  ["0.0.0.0", "0.0.0.0"],
  ["localhost.example", "localhost.example"],
])("listens for %s on %s", (host, address) => {
  expect(listenHost(host)).toBe(address);
});
