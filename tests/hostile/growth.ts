// How much a door's processes grow while something is done to them.
import type { SpawnedDoor } from "./spawned-doors.js";
import { mib } from "./scale.js";

const sampleMs = 50;

/** Peaks over the start, MiB. */
export interface Growth extends Disposable {
  readonly door: number;
  readonly behind: number;
}

/** Samples until disposed. */
export function watchGrowth(door: Pick<SpawnedDoor, "residentBytes">): Growth {
  const start = door.residentBytes();
  const peak = { ...start };
  const look = (): void => {
    const now = door.residentBytes();
    peak.door = Math.max(peak.door, now.door);
    peak.behind = Math.max(peak.behind, now.behind);
  };
  const timer = setInterval(look, sampleMs);
  return {
    get door() {
      look();
      return (peak.door - start.door) / mib;
    },
    get behind() {
      look();
      return (peak.behind - start.behind) / mib;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
