// What a program leaves behind while it starts: modules read and compiled, settings checked, schemas built. V8 would sort
// that out in the middle of the first traffic.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Collects all garbage now, and with it moves what lives to where it stays. For programs of ours, once, when they have
 * started and serve nobody yet: it stops the process for some 50 ms. Left to V8 the same comes in pieces, one
 * scavenge that copies all that was made at the start (15 ms) and one full collection soon after it (50 ms in steps of up to
 * 16 ms), in which every connection waits: on one core that alone was a 99th percentile of 30 to 40 ms over 4 s of 50 tunnels
 * (`npm run bench -- gateway`).
 */
export function settleHeap(): void {
  setFlagsFromString("--expose-gc");
  // Only a context that is made after the flag has it.
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  collect();
}
