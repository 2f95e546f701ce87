// Nobody shall run without authentication and not know it.
import type { Paint } from "../terminal/paint.js";

const lines = [
  "DEVELOPMENT MODE: auth.dev is on.",
  "Every caller, with any token or none, may subscribe, publish and administer.",
  "Never use it where anybody else can reach this machine.",
];

/** The banner for stderr, with its line ends. */
export function devBanner(paint: Paint): string {
  const width = Math.max(...lines.map((line) => line.length));
  const bar = "!".repeat(width + 6);
  const body = lines.map((line) => `!! ${line.padEnd(width)} !!`);
  return `${[bar, ...body, bar].map((line) => paint.bad(line)).join("\n")}\n`;
}
