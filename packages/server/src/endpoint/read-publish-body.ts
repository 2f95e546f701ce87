// Reads the body of a publish off its socket, within its limit and the process's budget.
import type { Readable } from "node:stream";
import type { UserBudget } from "./body-budget.js";
import { GatheredChunks } from "./gathered-chunks.js";

/** What reading came to. `too-large`, `no-room`: the rest of the body was not read. `aborted`: the client went away. */
export type BodyRead =
  | { readonly ok: true; readonly body: Buffer }
  | { readonly ok: false; readonly reason: "too-large" | "no-room" | "aborted" };

/**
 * Collects `stream` to its end. The bytes are taken from `budget` as they arrive, so a client that promises many and
 * sends few holds few; when this succeeds the caller owes `body.length` back, otherwise nothing. Time is bounded by the
 * server's `requestTimeout`. After a refusal the stream flows on into nothing.
 */
export function readPublishBody(stream: Readable, bytesMax: number, budget: UserBudget): Promise<BodyRead> {
  if (stream.destroyed) return Promise.resolve({ ok: false, reason: "aborted" });
  return new Promise((resolve) => {
    const chunks = new GatheredChunks();
    const onData = (chunk: Buffer): void => {
      if (chunks.length + chunk.length > bytesMax) return settle("too-large");
      if (!budget.take(chunk.length)) return settle("no-room");
      chunks.add(chunk);
    };
    const onEnd = (): void => settle(undefined);
    const onAborted = (): void => settle("aborted");
    const settle = (reason: "too-large" | "no-room" | "aborted" | undefined): void => {
      stream.off("data", onData).off("end", onEnd).off("error", onAborted).off("close", onAborted);
      if (reason === undefined) return resolve({ ok: true, body: chunks.concat() });
      budget.giveBack(chunks.length);
      // A late error of a stream that nobody reads any more must not end the process.
      stream.on("error", () => {}).resume();
      resolve({ ok: false, reason });
    };
    stream.on("data", onData).on("end", onEnd).on("error", onAborted).on("close", onAborted);
  });
}
