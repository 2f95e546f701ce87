import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { AddressRates } from "./address-rates.js";
import { isHostAllowed } from "./allowed-host.js";
import { addressKey, clientAddressBehind } from "./client-address.js";
import { Places } from "./places.js";

describe("AddressRates", () => {
  it("gives each address its own, and forgets the one not heard of for longest", () => {
    const time = { ms: 0 };
    const clock = { now: () => time.ms, wall: () => time.ms };
    const rates = new AddressRates({ perSecond: 1, burst: 1, clock, addressesMax: 2 });
    expect([rates.take("a"), rates.take("a"), rates.take("b")]).toEqual([true, false, true]);
    expect(rates.take("c")).toBe(true);
    expect(rates.size).toBe(2);
    expect(rates.take("a")).toBe(true);
    time.ms += 1_000;
    expect([rates.take("a"), rates.take("a")]).toEqual([true, false]);
  });
});

describe("Places", () => {
  it("are given back once, with the user's share", () => {
    const places = new Places({ total: 2, perAddress: 1, perUser: 1 });
    const first = places.take("a");
    expect(places.take("a")).toBe("address");
    const second = places.take("b");
    expect(places.take("c")).toBe("full");
    if (typeof first === "string" || typeof second === "string") throw new Error("no place");
    expect([first.claimFor("u"), second.claimFor("u")]).toEqual([true, false]);
    first.release();
    first.release();
    expect([places.taken, second.claimFor("u")]).toEqual([1, true]);
  });
});

describe("the caller's address", () => {
  const request = (remoteAddress: string, chain?: string): IncomingMessage =>
    ({
      socket: { remoteAddress },
      headers: chain === undefined ? {} : { "x-forwarded-for": chain },
    }) as unknown as IncomingMessage;

  it.each([
    [[], "1.1.1.1", "2.2.2.2", "1.1.1.1"],
    [["10.0.0.0/8"], "10.0.0.1", "2.2.2.2", "2.2.2.2"],
    [["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 2.2.2.2, 10.0.0.9", "2.2.2.2"],
    [["10.0.0.0/8"], "1.1.1.1", "2.2.2.2", "1.1.1.1"],
    [[], "::ffff:1.1.1.1", undefined, "1.1.1.1"],
    // Several headers of the name, as Node joins them.
    [["10.0.0.0/8"], "::ffff:10.0.0.1", "6.6.6.6, 2.2.2.2", "2.2.2.2"],
    [["10.0.0.0/8"], "10.0.0.1", "2.2.2.2\t,\t10.0.0.9 ,", "2.2.2.2"],
    [["10.0.0.0/8"], "10.0.0.1", "2.2.2.2, 10.0.0.9:4711", "2.2.2.2"],
    [["10.0.0.0/8"], "10.0.0.1", "2.2.2.2, ::ffff:10.0.0.9", "2.2.2.2"],
    [["10.0.0.0/8"], "10.0.0.1", "2.2.2.2, ::ffff:a00:9", "2.2.2.2"],
    [["fd00::/8"], "fd00::1", "2.2.2.2, [fd00::2]:443", "2.2.2.2"],
    [["fd00::/8"], "fd00::1", "2001:DB8:0:0::5", "2001:db8::5"],
    [["10.0.0.0/8"], "10.0.0.1", "2.2.2.2:4711", "2.2.2.2"],
    // What a trusted proxy could not name is the proxy's own.
    [["10.0.0.0/8"], "10.0.0.1", "2.2.2.2, unknown", "10.0.0.1"],
    [["10.0.0.0/8"], "10.0.0.1", "2.2.2.2, unknown, 10.0.0.9", "10.0.0.9"],
    [["10.0.0.0/8"], "10.0.0.1", "for=2.2.2.2", "10.0.0.1"],
    [["10.0.0.0/8"], "10.0.0.1", "02.2.2.2", "10.0.0.1"],
    [["10.0.0.0/8"], "10.0.0.1", "[2.2.2.2]", "10.0.0.1"],
    [["10.0.0.0/8"], "10.0.0.1", " , ", "10.0.0.1"],
    [["10.0.0.0/8"], "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
  ])("behind %j, from %s with %s, is %s", (trusted, peer, chain, expected) => {
    expect(clientAddressBehind(trusted)(request(peer, chain))).toBe(expected);
  });

  it.each([
    ["1.2.3.4", "1.2.3.4"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    // As a socket that listens on `::` names an IPv4 peer: not one caller for the whole of IPv4.
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::FFFF:102:304", "1.2.3.4"],
    ["2001:DB8:0001:2::", "2001:db8:1:2"],
    ["", ""],
  ])("%s counts as %s", (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

it.each([
  ["a.example", [], true],
  ["A.example:443", ["a.example"], true],
  ["a.example.", ["a.example"], true],
  ["[::1]:8080", ["::1"], true],
  ["b.example", ["a.example"], false],
  [undefined, ["a.example"], false],
])("Host %s among %j: %s", (host, allowed, expected) => {
  expect(isHostAllowed(host, allowed)).toBe(expected);
});
