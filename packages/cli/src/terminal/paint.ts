// Colours by meaning.
import { styleText } from "node:util";

/** Puts text in a colour, or leaves it as it is. */
export interface Paint {
  dim(text: string): string;
  bold(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  /** A colour of `index`'s own, the same every time. */
  distinct(index: number, text: string): string;
}

const distinctColours = [
  "cyan",
  "green",
  "magenta",
  "blue",
  "yellow",
  "cyanBright",
  "greenBright",
  "magentaBright",
] as const;

type Format = Parameters<typeof styleText>[0];

/** `takesColour` has decided already, for the stream that is meant; Node would ask standard output once more. */
const style = (format: Format, text: string): string => styleText(format, text, { validateStream: false });

const coloured: Paint = {
  dim: (text) => style("dim", text),
  bold: (text) => style("bold", text),
  good: (text) => style("green", text),
  warn: (text) => style("yellow", text),
  bad: (text) => style("red", text),
  distinct: (index, text) => style(distinctColours[index % distinctColours.length] ?? "cyan", text),
};

const same = (text: string) => text;

const plain: Paint = { dim: same, bold: same, good: same, warn: same, bad: same, distinct: (_index, text) => text };

/** The paint for a stream that takes colours, or doesn't. */
export function paintFor(takesColour: boolean): Paint {
  return takesColour ? coloured : plain;
}
