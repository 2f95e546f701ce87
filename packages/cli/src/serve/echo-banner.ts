// Nobody shall run the test mode and not know it.
import type { Paint } from "../terminal/paint.js";

const lines = [
  "ECHO MODE: --echo is on, a test mode.",
  "Every WebSocket message comes back as it came, to anybody, with any token or none.",
  "There are no events here. It listens on this machine only.",
];

/** The banner for stderr, with its line ends. */
export function echoBanner(paint: Paint): string {
  return `${lines.map((line) => paint.bad(`!! ${line}`)).join("\n")}\n`;
}
