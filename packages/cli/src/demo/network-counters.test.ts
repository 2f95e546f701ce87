import { describe, expect, it } from "vitest";
import { readNetworkCounters } from "./network-counters.js";

const netDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 783155405   24260    0    0    0     0          0         0 783155405   24260    0    0    0     0       0          0
  eth0:679083366   18119    0    0    0     0          0         0  1976320   13383    0    0    0     0       0          0
 wlan0:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
veth1a:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
docker0:    100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
`;

describe("readNetworkCounters", () => {
  it("takes the interfaces that reach other machines and have carried something", () => {
    expect([...readNetworkCounters(netDev)]).toEqual([
      ["eth0", { receivedBytes: 679_083_366, receivedPackets: 18_119, sentBytes: 1_976_320, sentPackets: 13_383 }],
    ]);
  });

  it("is not thrown by what it does not know", () => {
    expect(readNetworkCounters("").size).toBe(0);
    expect(readNetworkCounters("eth0: 1 2 3\neth1: a b c d e f g h i j\n").size).toBe(0);
  });
});
