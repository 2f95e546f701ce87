// The tunnels of this process: who is there, and how they are sent away without all coming back at once.
import { randomUUID } from "node:crypto";
import { closes, type DisconnectFrame } from "@sluice/protocol";
import type { Clock } from "@sluice/runtime";
import type { Backend } from "../backends/backend.js";
import type { ReturnSchedule } from "./return-schedule.js";
import { encodeTextFrame } from "./text-frame.js";
import { Tunnel, type TunnelBounds, type TunnelEnd, type TunnelEnds, type TunnelHost } from "./tunnel.js";

/** Whose tunnel it is, and where it leads. */
export interface TunnelOwner {
  readonly userId: string;
  readonly remoteAddress: string;
  readonly backend: Backend;
  /** Whether the client understands frames of Sluice's own (`gateway.tunnel.disconnect_frame`). */
  readonly isSluice: boolean;
}

/** One living tunnel. */
interface TunnelRecord extends TunnelOwner {
  readonly id: string;
  /** Wall-clock ms. */
  readonly connectedAtMs: number;
}

/** A tunnel as an operator sees it. */
export interface TunnelView {
  readonly tunnel_id: string;
  readonly user_id: string;
  readonly remote_address: string;
  readonly connected_at: string;
  readonly backend: string;
  readonly buffered_bytes: number;
  readonly paused: boolean;
}

/** What is told of a tunnel when it opens and when it has gone. */
export type TunnelEvent = "opened" | "closed";

export interface TunnelsOptions {
  readonly clock: Clock;
  /** What they count together, and by what end. */
  readonly tally: TunnelHost["meter"] & { countEnd(end: TunnelEnd): void };
  readonly bounds: TunnelBounds;
  readonly returns: ReturnSchedule;
  /** Details are made only when asked for. */
  readonly onEvent: (event: TunnelEvent, details: () => Readonly<Record<string, unknown>>) => void;
}

/** Closes are done in this many steps. */
const steps = 20;
/** The share of the time over which closes are spread; the rest is for clients to answer them. */
const closeShare = 0.6;
/** Clients come back over this multiple of the drain, as those of a service do, so that the next process isn't met by all at once. */
const returnSpreadFactor = 2;
/** No client is asked to come back sooner, ms: the next process needs a moment. */
const returnMsMin = 250;

export class Tunnels implements TunnelHost {
  bounds: TunnelBounds;
  readonly #options: TunnelsOptions;
  readonly #records = new Map<Tunnel, TunnelRecord>();

  constructor(options: TunnelsOptions) {
    this.#options = options;
    this.bounds = options.bounds;
  }

  get meter(): TunnelHost["meter"] {
    return this.#options.tally;
  }

  get size(): number {
    return this.#records.size;
  }

  get paused(): number {
    return this.#sum((tunnel) => (tunnel.isPaused ? 1 : 0));
  }

  get bufferedBytes(): number {
    return this.#sum((tunnel) => tunnel.bufferedBytes);
  }

  /** Joins the two; the backend has one connection less when they have gone. */
  open(ends: TunnelEnds, { userId, remoteAddress, backend, isSluice }: TunnelOwner): void {
    const connectedAtMs = this.#options.clock.wall();
    const record: TunnelRecord = { id: newTunnelId(), userId, remoteAddress, backend, isSluice, connectedAtMs };
    this.#options.onEvent("opened", () => detailsOf(record));
    const tunnel = new Tunnel(this, ends);
    this.#records.set(tunnel, record);
  }

  backendLost(tunnel: Tunnel): void {
    if (this.#records.get(tunnel)?.isSluice === true) tunnel.announce(this.#options.returns.nextFrame(returnMsMin));
  }

  tunnelEnded(tunnel: Tunnel, end: TunnelEnd, code: number): void {
    const { tally, clock, onEvent } = this.#options;
    const record = this.#records.get(tunnel);
    if (record === undefined) return;
    this.#records.delete(tunnel);
    record.backend.connections -= 1;
    tally.countEnd(end);
    const durationMs = (): number => Math.round(clock.wall() - record.connectedAtMs);
    onEvent("closed", () => ({ ...detailsOf(record), end, code, duration_ms: durationMs() }));
  }

  views(): TunnelView[] {
    return [...this.#records].map(([tunnel, record]) => ({
      ...detailsOf(record),
      connected_at: new Date(record.connectedAtMs).toISOString(),
      buffered_bytes: tunnel.bufferedBytes,
      paused: tunnel.isPaused,
    }));
  }

  /**
   * Closes all tunnels, or those of one backend, with 1012, spread over the time; cuts what is left at its end. Clients
   * of Sluice's own are told before when to come back, each at a time of its own (protocol §7).
   */
  async sendAway(drainMs: number, backend?: Backend): Promise<void> {
    const all = [...this.#records];
    const leaving = all.filter(([, record]) => backend === undefined || record.backend === backend);
    for (const [index, [tunnel, { isSluice }]] of leaving.entries()) {
      if (isSluice) tunnel.announce(disconnectFrame(((index + 0.5) / leaving.length) * drainMs * returnSpreadFactor));
    }
    const remain = (): boolean => leaving.some(([tunnel]) => this.#records.has(tunnel));
    let closed = 0;
    for (let step = 1; step <= steps && remain(); step += 1) {
      const until = Math.ceil((leaving.length * step) / steps);
      for (const [tunnel] of leaving.slice(closed, until)) tunnel.close(closes.serviceRestart);
      closed = until;
      await pause((drainMs * closeShare) / steps);
    }
    for (let step = 1; step <= steps && remain(); step += 1) await pause((drainMs * (1 - closeShare)) / steps);
    for (const [tunnel] of leaving) tunnel.destroy();
  }

  destroyAll(): void {
    for (const tunnel of this.#records.keys()) tunnel.destroy();
  }

  #sum(of: (tunnel: Tunnel) => number): number {
    let sum = 0;
    for (const tunnel of this.#records.keys()) sum += of(tunnel);
    return sum;
  }
}

function detailsOf({ id, userId, remoteAddress, backend }: TunnelRecord) {
  return { tunnel_id: id, user_id: userId, remote_address: remoteAddress, backend: backend.url.host };
}

/** Node makes it as a rope of fifteen strings; as one it is a tenth of the size for as long as the tunnel lives. */
function newTunnelId(): string {
  return Buffer.from(randomUUID(), "latin1").toString("latin1");
}

function disconnectFrame(afterMs: number): Buffer {
  const reconnectAfterMs = Math.round(returnMsMin + afterMs);
  const frame: DisconnectFrame = {
    type: "disconnect",
    reason: "server_shutdown",
    reconnect_after_ms: reconnectAfterMs,
  };
  return encodeTextFrame(JSON.stringify(frame));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
