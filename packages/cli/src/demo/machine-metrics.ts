// This machine's load as events: one for each group of metrics, from two readings.
import { cpuLoad } from "./cpu-load.js";
import type { MachineReading } from "./machine-reading.js";
import type { NetworkCounters } from "./network-counters.js";

/** An event as it is published (protocol.md §8). */
export interface MetricEvent {
  readonly event_type: "METRIC_UPDATE";
  readonly cluster_id: "local";
  readonly source: string;
  /** `cpu`, `memory`, `load`, `disk` or `network`. */
  readonly subject: string;
  readonly payload: unknown;
}

type Payload = Readonly<Record<string, unknown>>;

/** The events of the time between two readings; groups that the machine doesn't tell are left out. `source`: its name. */
export function machineMetrics(before: MachineReading, after: MachineReading, source: string): readonly MetricEvent[] {
  const groups: readonly (readonly [string, Payload | undefined])[] = [
    ["cpu", { ...cpuLoad(before.cpuTimes, after.cpuTimes) }],
    ["memory", usage(after.memory)],
    ["load", loadOf(after)],
    ["disk", diskOf(before, after)],
    ["network", networkOf(before, after)],
  ];
  return groups.flatMap(([subject, payload]) =>
    payload === undefined
      ? []
      : [{ event_type: "METRIC_UPDATE", cluster_id: "local", source, subject, payload } satisfies MetricEvent],
  );
}

function usage({ total, available }: { readonly total: number; readonly available: number }): Payload {
  const used = total - available;
  return {
    used_percent: total === 0 ? 0 : Math.round((1_000 * used) / total) / 10,
    used_bytes: used,
    available_bytes: available,
    total_bytes: total,
  };
}

function loadOf({ load, uptimeS }: MachineReading): Payload | undefined {
  if (load === undefined) return undefined;
  const [one, five, fifteen] = load.map((value) => Math.round(value * 100) / 100);
  return { load_1m: one, load_5m: five, load_15m: fifteen, uptime_s: Math.round(uptimeS) };
}

function diskOf(before: MachineReading, after: MachineReading): Payload | undefined {
  const space = after.fileSystem === undefined ? {} : usage(after.fileSystem);
  if (before.disk === undefined || after.disk === undefined) return after.fileSystem === undefined ? undefined : space;
  const { disk } = after;
  const perSecond = rates(before, after);
  return {
    read_bytes_per_s: perSecond(before.disk.readBytes, disk.readBytes),
    written_bytes_per_s: perSecond(before.disk.writtenBytes, disk.writtenBytes),
    reads_per_s: perSecond(before.disk.reads, disk.reads),
    writes_per_s: perSecond(before.disk.writes, disk.writes),
    ...space,
  };
}

function networkOf(before: MachineReading, after: MachineReading): Payload | undefined {
  if (before.network === undefined || after.network === undefined) return undefined;
  const perSecond = rates(before, after);
  const interfaces: Record<string, ReturnType<typeof traffic>> = {};
  const total = { received_bytes_per_s: 0, received_packets_per_s: 0, sent_bytes_per_s: 0, sent_packets_per_s: 0 };
  for (const [name, counters] of after.network) {
    const own = traffic(before.network.get(name) ?? counters, counters, perSecond);
    interfaces[name] = own;
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += own[key];
  }
  return { ...total, interfaces };
}

type PerSecond = ReturnType<typeof rates>;

function traffic(before: NetworkCounters, after: NetworkCounters, perSecond: PerSecond) {
  return {
    received_bytes_per_s: perSecond(before.receivedBytes, after.receivedBytes),
    received_packets_per_s: perSecond(before.receivedPackets, after.receivedPackets),
    sent_bytes_per_s: perSecond(before.sentBytes, after.sentBytes),
    sent_packets_per_s: perSecond(before.sentPackets, after.sentPackets),
  };
}

/** Growth a second, whole; a counter that was set back counts as none. */
function rates(before: MachineReading, after: MachineReading): (from: number, to: number) => number {
  const seconds = Math.max(1, after.atMs - before.atMs) / 1_000;
  return (from, to) => Math.max(0, Math.round((to - from) / seconds));
}
