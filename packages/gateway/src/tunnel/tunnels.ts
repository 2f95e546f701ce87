// The tunnels of this process: who is there, and how they are sent away without all coming back at once.
import { closes } from "@sluice/protocol";
import type { Backend } from "../backends/backend.js";
import type { Tunnel } from "./tunnel.js";

/** One living tunnel. */
export interface TunnelRecord {
  readonly id: string;
  readonly userId: string;
  readonly remoteAddress: string;
  /** Wall-clock ms. */
  readonly connectedAtMs: number;
  readonly backend: Backend;
  readonly tunnel: Tunnel;
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

/** Closes are done in this many steps. */
const steps = 20;
/** The share of the time over which closes are spread; the rest is for clients to answer them. */
const closeShare = 0.6;

export class Tunnels {
  readonly #records = new Set<TunnelRecord>();

  get size(): number {
    return this.#records.size;
  }

  get paused(): number {
    return this.#sum(({ tunnel }) => (tunnel.isPaused ? 1 : 0));
  }

  get bufferedBytes(): number {
    return this.#sum(({ tunnel }) => tunnel.bufferedBytes);
  }

  add(record: TunnelRecord): void {
    this.#records.add(record);
  }

  remove(record: TunnelRecord): void {
    this.#records.delete(record);
  }

  views(): TunnelView[] {
    return [...this.#records].map(({ id, userId, remoteAddress, connectedAtMs, backend, tunnel }) => ({
      tunnel_id: id,
      user_id: userId,
      remote_address: remoteAddress,
      connected_at: new Date(connectedAtMs).toISOString(),
      backend: backend.url.host,
      buffered_bytes: tunnel.bufferedBytes,
      paused: tunnel.isPaused,
    }));
  }

  /** Closes all tunnels, or those of one backend, with 1012, spread over the time; cuts what is left at its end. */
  async sendAway(drainMs: number, backend?: Backend): Promise<void> {
    const leaving = [...this.#records].filter((record) => backend === undefined || record.backend === backend);
    const remain = (): boolean => leaving.some((record) => this.#records.has(record));
    let closed = 0;
    for (let step = 1; step <= steps && remain(); step += 1) {
      const until = Math.ceil((leaving.length * step) / steps);
      for (const { tunnel } of leaving.slice(closed, until)) tunnel.close(closes.serviceRestart);
      closed = until;
      await pause((drainMs * closeShare) / steps);
    }
    for (let step = 1; step <= steps && remain(); step += 1) await pause((drainMs * (1 - closeShare)) / steps);
    for (const { tunnel } of leaving) tunnel.destroy();
  }

  destroyAll(): void {
    for (const { tunnel } of this.#records) tunnel.destroy();
  }

  #sum(of: (record: TunnelRecord) => number): number {
    let sum = 0;
    for (const record of this.#records) sum += of(record);
    return sum;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
