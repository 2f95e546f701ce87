// What every server under measurement tells its parent.

export interface ServerReport {
  readonly port: number;
  /** Extra headers that a client must send. */
  readonly headers: Readonly<Record<string, string>>;
  /** What a client must say to get the events; null when it gets them anyway. */
  readonly subscribe: string | null;
  readonly published: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** How events come: as fast as they can be delivered, or at a rate. */
export interface SourceOptions {
  /** Events a second; null = saturated. */
  readonly perSecond: number | null;
}

/** An event of about 220 bytes on the wire, stamped for latency. */
export function benchPayload(): { readonly sent_at: number; readonly gpu: string; readonly note: string } {
  const sentAt = performance.timeOrigin + performance.now();
  return { sent_at: Math.round(sentAt * 1000) / 1000, gpu: "gpu-0", note: "x".repeat(10) };
}

export function usage(): Pick<ServerReport, "cpuMs" | "rssBytes"> {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage().rss };
}
