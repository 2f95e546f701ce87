// Ends the service without losing anybody: clients are told when to come back, each at a time of its own, and their
// sockets are closed only after what was accepted has been written.

import { closes } from "@sluice/protocol";
import type { Clock } from "@sluice/runtime";
import type { Delivery } from "./delivery/delivery.js";

/** Clients come back over this multiple of the drain, so that the next process isn't met by all of them at once. */
const returnSpreadFactor = 2;
/** No client is asked to come back sooner, ms: the next process needs a moment. */
const returnMsMin = 250;
/** Closes are done in this many steps over the drain. */
const steps = 20;
/** Of the drain, the share over which closes are spread; the rest is for sockets that are behind. */
const closeShare = 0.6;

export interface DrainOptions {
  readonly delivery: Delivery;
  readonly clock: Clock;
  /** `server.drain_ms`. */
  readonly drainMs: number;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Says goodbye to every consumer within `drainMs`. Those without a backlog go first, the others as they catch up. */
export async function drainConsumers({ delivery, clock, drainMs }: DrainOptions): Promise<void> {
  delivery.flushAll();
  const consumers = [...delivery.consumers];
  if (consumers.length === 0) return;
  for (const [index, consumer] of consumers.entries()) {
    const share = (index + 0.5) / consumers.length;
    const reconnectAfterMs = Math.round(returnMsMin + share * drainMs * returnSpreadFactor);
    const frame = { type: "disconnect", reason: "server_shutdown", reconnect_after_ms: reconnectAfterMs } as const;
    delivery.reply(consumer, frame);
  }
  const startMs = clock.now();
  for (let step = 1; step <= steps; step += 1) {
    const count = Math.ceil((consumers.length * step) / steps);
    for (const consumer of consumers.slice(0, count)) {
      if (consumer.isLevel) delivery.close(consumer, closes.serviceRestart);
    }
    if (delivery.consumers.size === 0) return;
    await pause((drainMs * closeShare) / steps);
  }
  while (delivery.consumers.size > 0 && clock.now() - startMs < drainMs) {
    for (const consumer of delivery.consumers) if (consumer.isLevel) delivery.close(consumer, closes.serviceRestart);
    await pause(drainMs / steps);
  }
  for (const consumer of [...delivery.consumers]) delivery.close(consumer, closes.serviceRestart);
}
