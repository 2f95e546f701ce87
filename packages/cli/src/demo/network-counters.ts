// What has gone over each network interface since the machine started, from /proc/net/dev.

/** Counters that only grow. */
export interface NetworkCounters {
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
}

/** Never leave the machine, or carry what another interface has carried already. */
const virtual = /^(?:lo$|veth|docker|br-|virbr|ifb|dummy|tap|cni|flannel|cali)/;

/** Interface → counters, for those that reach other machines and have carried something. */
export function readNetworkCounters(netDev: string): ReadonlyMap<string, NetworkCounters> {
  const interfaces = new Map<string, NetworkCounters>();
  for (const line of netDev.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === -1) continue;
    const name = line.slice(0, colon).trim();
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    if (virtual.test(name) || fields.length < 10 || fields.some(Number.isNaN)) continue;
    const [receivedBytes = 0, receivedPackets = 0] = fields;
    const [sentBytes = 0, sentPackets = 0] = fields.slice(8);
    if (receivedPackets + sentPackets === 0) continue;
    interfaces.set(name, { receivedBytes, receivedPackets, sentBytes, sentPackets });
  }
  return interfaces;
}
