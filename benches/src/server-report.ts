// What every server under measurement is told, and tells its parent.

/** How events come. */
export interface SourceOptions {
  /** Events a second; null = as fast as they can be delivered. */
  readonly perSecond: number | null;
  /** Events of one publish; default 1 at a rate, 64 saturated. */
  readonly batch?: number;
  /** Cluster names that the events go round, `c-0` and so on; default 1. */
  readonly clusters?: number;
  /** Event types that the events go round, `GPU_0` and so on; default 1. */
  readonly types?: number;
  /** Makes the event about so many bytes on the wire, from 220; default 220. */
  readonly eventBytes?: number;
}

/** What a bench changes of the server; each server takes what it knows. */
export interface ServerOptions extends SourceOptions {
  /** `permessage-deflate` on; default off. */
  readonly deflate?: boolean;
  /** Tokens are checked at the handshake; default only where the server always does. */
  readonly secret?: string;
  /** Frames: every connection is sent a ping of Sluice's each so many ms; default none. */
  readonly pingIntervalMs?: number;
  /** Sluice: events that its log holds before anybody connects; default none. */
  readonly stored?: number;
  /** Sluice: settings beside the bench's own, by section. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Sent to a server beside the words `start`, `stop` and `report`. */
export interface RateRequest {
  readonly perSecond: number;
}

export interface ServerReport {
  readonly port: number;
  /** Where clients connect. */
  readonly path: string;
  /** Extra headers that a client must send. */
  readonly headers: Readonly<Record<string, string>>;
  /** What a client must say to get the events; null when it gets them anyway. */
  readonly subscribe: string | null;
  readonly published: number;
  /**
   * Of each publish at a rate since the last report, from when it was due until its events were durable and written to
   * all sockets that took them, ms: what the server adds, without the load client. Sluice only.
   */
  readonly servedMs?: readonly number[];
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** Live objects and buffers after a collection, where the process can be told to collect; else what is in use. */
  readonly heapBytes: number;
}

const collect = (globalThis as { gc?: () => void }).gc;

/** CPU and memory of this process. */
export function usage(isIdle = false): Pick<ServerReport, "cpuMs" | "rssBytes" | "heapBytes"> {
  if (isIdle) collect?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed + external };
}
