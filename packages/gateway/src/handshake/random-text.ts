// Random bytes as text, drawn from a supply: asking for a few at a time leaves an object outside the heap each time, which
// only a full collection takes away.
import { randomFillSync } from "node:crypto";

const supplyBytes = 4_096;
const supply = Buffer.allocUnsafeSlow(supplyBytes);
let used = supplyBytes;

/** `count` random bytes, 4096 at most, that were given to nobody else. */
export function randomText(count: number, encoding: "base64" | "hex"): string {
  if (used + count > supplyBytes) {
    randomFillSync(supply);
    used = 0;
  }
  const from = used;
  used += count;
  return supply.toString(encoding, from, used);
}
