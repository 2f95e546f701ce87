import { expect, it } from "vitest";
import { isExtensionOffer, isHostAndPort, isSubprotocolOffer } from "./handshake-grammar.js";

it.each([
  ["localhost", true],
  ["LOCALHOST:8080", true],
  ["gate_1.example:", true],
  ["127.0.0.1:1", true],
  ["[::1]:8080", true],
  ["", false],
  [" ", false],
  ["a b", false],
  ["a/b", false],
  ["a@b", false],
  ["a,b", false],
  ["a:b", false],
  ["::1", false],
  ["a:123456", false],
  ["[::1", false],
])("Host %j: %s", (value, isRight) => {
  expect(isHostAndPort(value)).toBe(isRight);
});

it.each([
  ["permessage-deflate", true],
  ["permessage-deflate; client_max_window_bits, permessage-deflate", true],
  ['x-foo ;a="b" ; c=d,x-bar', true],
  ["", false],
  [",", false],
  ["a,", false],
  ["a;", false],
  ["a;=b", false],
  ["a; b=", false],
  ['a; b="', false],
  ['a; b=""', false],
  ['a; b="c d"', false],
  ["a b", false],
])("Sec-WebSocket-Extensions %j: %s", (value, isRight) => {
  expect(isExtensionOffer(value)).toBe(isRight);
});

it("Sec-WebSocket-Extensions of 16 KiB is judged at once", () => {
  expect(isExtensionOffer(`${"a;b, ".repeat(3_276)};`)).toBe(false);
  expect(isExtensionOffer(`a${" ".repeat(16_000)}b`)).toBe(false);
});

it.each([
  ["sluice.v1", true],
  ["sluice.v1, bearer,abc.def.ghi", true],
  ["", false],
  ["a,,b", false],
  ["a b", false],
  ["a/b", false],
  ["a, a", false],
])("Sec-WebSocket-Protocol %j: %s", (value, isRight) => {
  expect(isSubprotocolOffer(value)).toBe(isRight);
});
