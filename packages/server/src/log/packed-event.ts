// Events as a block holds them (block-header.ts has the layout), made once when they are taken in: those of one publish
// lie side by side, so that no event has a buffer of its own and a block takes a run of them in one copy.
import { recordHeaderBytes } from "./block-header.js";
import type { EventDraft, EventRecord } from "./event-log.js";

/** Node cuts small buffers out of slabs of this size, so each of them keeps so much alive. */
const slabBytes = Buffer.poolSize;

/** An event accepted for publishing, in the bytes of a record. */
export class PackedEvent implements EventDraft {
  readonly eventType: string;
  readonly clusterId: string | undefined;
  /**
   * Holds the record at `[start, end)`, its fields from `fieldsStart` on; shared with others, written by nobody else.
   */
  readonly bytes: Buffer;
  readonly start: number;
  readonly fieldsStart: number;
  readonly end: number;

  /** Takes over what was written by {@link writeRecordHeader} and behind it. */
  constructor(
    bytes: Buffer,
    start: number,
    fieldsStart: number,
    end: number,
    eventType: string,
    clusterId: string | undefined,
  ) {
    this.bytes = bytes;
    this.start = start;
    this.fieldsStart = fieldsStart;
    this.end = end;
    this.eventType = eventType;
    this.clusterId = clusterId;
  }

  /** The draft itself where it is packed, else a packed copy. */
  static of(draft: EventDraft): PackedEvent {
    if (draft instanceof PackedEvent) return draft;
    const { eventId, eventType, clusterId, fields } = draft;
    const fieldsStart = recordHeaderBytes + Buffer.byteLength(eventId);
    const bytes = Buffer.allocUnsafe(fieldsStart + fields.length);
    bytes.write(eventId, recordHeaderBytes);
    fields.copy(bytes, fieldsStart);
    return packed(bytes, fieldsStart, bytes.length, eventType, clusterId);
  }

  /** Packs an event whose fields are a text. */
  static ofText(eventId: string, eventType: string, clusterId: string | undefined, fields: string): PackedEvent {
    const fieldsStart = recordHeaderBytes + Buffer.byteLength(eventId);
    const bytes = Buffer.allocUnsafe(fieldsStart + Buffer.byteLength(fields));
    bytes.write(eventId, recordHeaderBytes);
    bytes.write(fields, fieldsStart);
    return packed(bytes, fieldsStart, bytes.length, eventType, clusterId);
  }

  /** Where the id begins; it ends where the fields begin. */
  get idStart(): number {
    return this.start + recordHeaderBytes;
  }

  /** Bytes of the id. */
  get idLength(): number {
    return this.fieldsStart - this.idStart;
  }

  get eventId(): string {
    return this.bytes.toString("utf8", this.idStart, this.fieldsStart);
  }

  get fields(): Buffer {
    return this.bytes.subarray(this.fieldsStart, this.end);
  }

  get fieldsLength(): number {
    return this.end - this.fieldsStart;
  }

  /** The same event apart from the others, where with them it would keep much more alive than itself. */
  alone(): PackedEvent {
    const { bytes, start, fieldsStart, end } = this;
    if (bytes.length <= Math.max(slabBytes, 2 * (end - start))) return this;
    const own = Buffer.from(bytes.subarray(start, end));
    return new PackedEvent(own, 0, fieldsStart - start, end - start, this.eventType, this.clusterId);
  }
}

function packed(
  bytes: Buffer,
  fieldsStart: number,
  end: number,
  eventType: string,
  clusterId: string | undefined,
): PackedEvent {
  writeRecordHeader(bytes, 0, fieldsStart, end);
  return new PackedEvent(bytes, 0, fieldsStart, end, eventType, clusterId);
}

/** Writes the header of the record at `[start, end)`, but for its pair, which a block knows. */
export function writeRecordHeader(bytes: Buffer, start: number, fieldsStart: number, end: number): void {
  bytes.writeUInt32LE(end - fieldsStart, start);
  bytes.writeUInt16LE(fieldsStart - start - recordHeaderBytes, start + 6);
}

/** Says which pair of its block a record has; a block takes the record over before another one does. */
export function writeRecordPair({ bytes, start }: PackedEvent, pair: number): void {
  bytes[start + 4] = pair & 0xff;
  bytes[start + 5] = pair >> 8;
}

/** A packed event with its place in the log. */
export class PackedRecord implements EventRecord {
  readonly seq: number;
  readonly appendedAtMs: number;
  #event: PackedEvent;
  #fields: Buffer | undefined;

  constructor(seq: number, appendedAtMs: number, event: PackedEvent) {
    this.seq = seq;
    this.appendedAtMs = appendedAtMs;
    this.#event = event;
  }

  /** A record as a packed one. */
  static of(record: EventRecord): PackedRecord {
    return new PackedRecord(record.seq, record.appendedAtMs, PackedEvent.of(record));
  }

  get event(): PackedEvent {
    return this.#event;
  }

  get eventId(): string {
    return this.#event.eventId;
  }

  get eventType(): string {
    return this.#event.eventType;
  }

  get clusterId(): string | undefined {
    return this.#event.clusterId;
  }

  get fields(): Buffer {
    if (this.#fields === undefined) {
      // Whoever asks may keep it long after the rest of its publish is forgotten.
      this.setApart();
      this.#fields = this.#event.fields;
    }
    return this.#fields;
  }

  get fieldsLength(): number {
    return this.#event.fieldsLength;
  }

  /** Keeps from now on no more alive than itself, see {@link PackedEvent.alone}. */
  setApart(): void {
    this.#event = this.#event.alone();
  }

  /** As {@link copyFieldsOf}. */
  copyFields(target: Buffer, at: number): number {
    const { bytes, fieldsStart, end } = this.#event;
    return at + bytes.copy(target, at, fieldsStart, end);
  }
}

/** Copies an event's `fields`, which are not made for it, to an offset; returns the offset after them. */
export function copyFieldsOf(event: Pick<EventDraft, "fields">, target: Buffer, at: number): number {
  if (event instanceof PackedRecord) return event.copyFields(target, at);
  return at + event.fields.copy(target, at);
}

/** Bytes of an event's `fields`, which are not made for it. */
export function fieldsLengthOf(event: Pick<EventDraft, "fields" | "fieldsLength">): number {
  return event.fieldsLength ?? event.fields.length;
}
