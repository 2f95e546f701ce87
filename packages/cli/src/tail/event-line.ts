// An event on one line, in columns: time, seq, cluster, type, then subject and payload.
import type { SluiceEvent } from "@sluice/client";
import type { Paint } from "../terminal/paint.js";
import { truncate, visibleText } from "../terminal/visible-text.js";

/** How lines are made. */
export interface EventLineOptions {
  readonly paint: Paint;
  /** Where lines end; unlimited when undefined, as in a pipe. */
  readonly columns: number | undefined;
}

/** Widths that columns start with; they grow with what comes, so that lines stay level. */
const startWidths = { seq: 5, cluster: 5, type: 12 } as const;
/** Widest that the columns of names become; longer names push their own line only. */
const nameWidthMax = 32;
const timeWidth = 12;
const gutter = "  ";
/** What stands for a cluster where an event has none. */
const noCluster = "-";
/** Fewest characters of payload, however narrow the terminal. */
const payloadWidthMin = 20;

/** Formats events for people; one formatter a stream. */
export class EventLine {
  readonly #paint: Paint;
  readonly #columns: number | undefined;
  readonly #widths: { seq: number; cluster: number; type: number } = { ...startWidths };

  constructor({ paint, columns }: EventLineOptions) {
    this.#paint = paint;
    this.#columns = columns;
  }

  format(event: SluiceEvent): string {
    const paint = this.#paint;
    const seq = String(event.seq);
    const cluster = visibleText(event.cluster_id ?? noCluster);
    const type = visibleText(event.event_type);
    const widths = this.#widths;
    widths.seq = Math.max(widths.seq, seq.length);
    widths.cluster = grown(widths.cluster, cluster);
    widths.type = grown(widths.type, type);

    const subject = event.subject === undefined ? "" : `${visibleText(event.subject)} `;
    const payload = visibleText(JSON.stringify(event.payload) ?? "null");
    const before =
      timeWidth + widths.seq + Math.max(widths.cluster, cluster.length) + Math.max(widths.type, type.length);
    const room =
      this.#columns === undefined
        ? Number.POSITIVE_INFINITY
        : Math.max(payloadWidthMin, this.#columns - before - 4 * gutter.length - subject.length);
    return [
      paint.dim(localTime(event.timestamp)),
      paint.dim(seq.padStart(widths.seq)),
      cluster === noCluster ? paint.dim(cluster.padEnd(widths.cluster)) : cluster.padEnd(widths.cluster),
      paint.distinct(hash(event.event_type), type.padEnd(widths.type)),
      `${paint.bold(subject)}${truncate(payload, room)}`,
    ].join(gutter);
  }
}

function grown(width: number, text: string): number {
  return text.length <= nameWidthMax ? Math.max(width, text.length) : width;
}

/** `14:03:09.123` where we are; the text itself where it is no time. */
function localTime(timestamp: string): string {
  const date = new Date(timestamp);
  if (Number.isNaN(date.getTime())) return visibleText(timestamp);
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/** A small number of a name's own; the same name always gets the same colour. */
function hash(text: string): number {
  let value = 0;
  for (let index = 0; index < text.length; index += 1) value = (value * 31 + text.charCodeAt(index)) >>> 0;
  return value;
}
