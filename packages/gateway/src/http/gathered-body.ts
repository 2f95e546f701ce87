// The beginning of a request's body, gathered here before a backend hears of the request: one that drips in costs no
// backend a connection, and nobody a packet for each byte.
import type { IncomingMessage } from "node:http";
import type { ByteBudget } from "@sluice/runtime";

/** Room that a body gets at first, bytes. */
const roomMin = 512;

/** What has come of a body. Counts against the budget until it is disposed. */
export class GatheredBody implements Disposable {
  /** Whether that is all of it; else the rest is still to be read. */
  isWhole = false;
  readonly #budget: ByteBudget;
  #room = Buffer.alloc(0);
  #count = 0;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#count);
  }

  /** False when there is no room for the chunk: then nothing of it was taken. */
  add(chunk: Buffer, bytesMax: number): boolean {
    const count = this.#count + chunk.length;
    if (count > bytesMax || !this.#makeRoom(count)) return false;
    chunk.copy(this.#room, this.#count);
    this.#count = count;
    return true;
  }

  [Symbol.dispose](): void {
    this.#budget.giveBack(this.#room.length);
    this.#room = Buffer.alloc(0);
    this.#count = 0;
  }

  #makeRoom(count: number): boolean {
    if (count <= this.#room.length) return true;
    const wanted = Math.max(roomMin, count, this.#room.length * 2);
    if (!this.#budget.take(wanted - this.#room.length)) return false;
    const larger = Buffer.allocUnsafeSlow(wanted);
    this.bytes.copy(larger);
    this.#room = larger;
    return true;
  }
}

/**
 * Reads `source` until its end, or as far as `bytesMax` and the budget let it; then it is paused, and the rest goes on to
 * the backend as it comes. Undefined when the caller has gone. What it gives is the caller's to dispose.
 */
export async function gatherBody(
  source: IncomingMessage,
  bytesMax: number,
  budget: ByteBudget,
): Promise<GatheredBody | undefined> {
  const body = new GatheredBody(budget);
  const outcome = await new Promise<"whole" | "part" | "gone">((resolve) => {
    const settle = (how: "whole" | "part" | "gone"): void => {
      source.off("data", take).off("end", end).off("close", gone);
      resolve(how);
    };
    const take = (chunk: Buffer): void => {
      if (body.add(chunk, bytesMax)) return;
      source.pause();
      source.unshift(chunk);
      settle("part");
    };
    const end = (): void => settle("whole");
    const gone = (): void => settle("gone");
    source.on("data", take).on("end", end).on("close", gone);
  });
  if (outcome === "gone") {
    body[Symbol.dispose]();
    return undefined;
  }
  body.isWhole = outcome === "whole";
  return body;
}
