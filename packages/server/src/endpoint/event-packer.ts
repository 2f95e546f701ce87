// Events in Sluice's own form, from the bytes of a body to the bytes that are stored, with no value in between. It
// takes what is in plain JSON (plain-json.ts) and passes every check, and leaves all else to the ordinary way, which
// comes to the same where an event is good and says what is wrong where it isn't.
import {
  eventIdLengthMax,
  eventTextLengthMax,
  isName,
  nameLengthMax,
  newEventIdBytes,
  normalizeTimestamp,
  payloadDepthMax,
  writeNewEventId,
  type EventRules,
} from "@sluice/protocol";
import { recordHeaderBytes } from "../log/block-header.js";
import { PackedEvent, writeRecordHeader } from "../log/packed-event.js";
import { jsonBytes } from "./json-bytes.js";
import { cachedName } from "./name-cache.js";
import { notPlain, PlainJson } from "./plain-json.js";
import { identityOf } from "./publish-draft.js";
import { unmeasuredBytesMax } from "./publish-shape.js";

const { backslash, closeBrace, colon, comma, openBrace, quote } = jsonBytes;
const firstPrintable = 0x20;
const lastPrintable = 0x7e;

/** Events lie in pieces of memory of this size, as a block does; one over a quarter of that has a piece of its own. */
const pieceBytes = 65_536;
const apartBytesMin = pieceBytes / 4;
/** A copy of more bytes than this is cheaper in one call. */
const loopBytesMax = 96;

/** What a name is made of (protocol.md §3). */
const isNameByte = new Uint8Array(256);
for (let byte = 0; byte < 128; byte += 1) isNameByte[byte] = isName(String.fromCharCode(byte)) ? 1 : 0;

const nothing = Buffer.alloc(0);

/** The members that an event may have; `at` is where their spans stand in `#spans`. */
const members = ["event_id", "event_type", "cluster_id", "timestamp", "source", "subject", "payload"] as const;
const [eventId, eventType, clusterId, timestamp, source, payload] = [0, 1, 2, 3, 4, 6] as const;
/** A member that is ignored. */
const other = -1;
const memberNames = members.map((name) => Buffer.from(name));
/** What stands before each value, its comma included but for the first. */
const leads = members.map((name, index) =>
  Buffer.from(`${index === 0 ? "" : ","}"${name}":${name === "payload" ? "" : '"'}`),
);
const leadBytes = leads.reduce((sum, lead) => sum + lead.length, 0);
const timestampBytes = 24;
/** What an event takes beside its values: the header, the leads, closing quotes. */
const frameBytes = recordHeaderBytes + leadBytes + members.length;

/** Packs the events of one body. */
export class EventPacker {
  readonly #body: Buffer;
  readonly #rules: EventRules;
  readonly #textBytesMax: number;
  readonly #json: PlainJson;
  /** Where the value of each member begins and ends, without quotes; begins at 0 where there is none. */
  readonly #spans = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  #payloadSpaces = 0;
  #start = notPlain;
  #end = notPlain;
  #piece = nothing;
  #used = 0;

  /**
   * @param body UTF-8; not kept alive by what is packed
   * @param textBytesMax longest text of one event
   */
  constructor(body: Buffer, rules: EventRules, textBytesMax: number) {
    this.#body = body;
    this.#rules = rules;
    this.#textBytesMax = textBytesMax;
    this.#json = new PlainJson(body, payloadDepthMax);
  }

  /**
   * Where the event that begins at `start` ends, white space around it included; {@link notPlain} where it can't be
   * packed.
   */
  endOf(start: number): number {
    this.#start = start;
    this.#end = this.#scan(start);
    return this.#end === notPlain ? notPlain : this.#json.skipSpace(this.#end);
  }

  /** The event whose text is `[start, end)`, white space around it included; undefined where it can't be packed. */
  pack(start: number, end: number): PackedEvent | undefined {
    if (this.#start !== start) this.endOf(start);
    if (this.#end === notPlain || this.#end > end) return undefined;
    if (this.#end < end && this.#json.skipSpace(this.#end) < end) return undefined;
    return this.#write();
  }

  #scan(start: number): number {
    const body = this.#body;
    const json = this.#json;
    json.limitTo(Math.min(body.length, start + this.#textBytesMax));
    let at = json.skipSpace(start);
    if (body[at] !== openBrace) return notPlain;
    this.#spans.fill(0);
    at = json.skipSpace(at + 1);
    let hasOthers = false;
    for (;;) {
      if (body[at] !== quote) return notPlain;
      const member = memberAt(body, at + 1);
      if (member === other) hasOthers = true;
      else if (this.#spans[member * 2] !== 0) return notPlain;
      const nameEnd = member === other ? json.endOfValue(at) : at + (memberNames[member] as Buffer).length + 2;
      if (nameEnd === notPlain) return notPlain;
      at = json.skipSpace(nameEnd);
      if (body[at] !== colon) return notPlain;
      at = this.#readMember(member, json.skipSpace(at + 1));
      if (at === notPlain) return notPlain;
      at = json.skipSpace(at);
      if (body[at] === closeBrace) break;
      if (body[at] !== comma) return notPlain;
      at = json.skipSpace(at + 1);
    }
    // What is ignored counts for the size of an event, which is measured in the ordinary way.
    if (hasOthers && at - start >= unmeasuredBytesMax) return notPlain;
    const isWhole = this.#spans[eventType * 2] !== 0 && this.#spans[payload * 2] !== 0;
    return isWhole && at < start + this.#textBytesMax ? at + 1 : notPlain;
  }

  /** Where the value ends that begins at `start`; its span is noted. */
  #readMember(member: number, start: number): number {
    if (member === payload) return this.#readPayload(start);
    if (member === other) return this.#json.endOfValue(start);
    if (this.#body[start] !== quote) return notPlain;
    const isName = member === eventType || member === clusterId;
    const end = isName ? this.#endOfName(start + 1) : this.#endOfText(start + 1);
    const lengthMax = isName ? nameLengthMax : member === eventId ? eventIdLengthMax : eventTextLengthMax;
    if (this.#body[end] !== quote || end === start + 1 || end - start - 1 > lengthMax) return notPlain;
    this.#spans[member * 2] = start + 1;
    this.#spans[member * 2 + 1] = end;
    return end + 1;
  }

  #readPayload(start: number): number {
    this.#json.spaces = 0;
    const end = this.#json.endOfValue(start);
    if (end === notPlain) return notPlain;
    this.#payloadSpaces = this.#json.spaces;
    if (end - start - this.#payloadSpaces > this.#rules.payloadBytesMax) return notPlain;
    this.#spans[payload * 2] = start;
    this.#spans[payload * 2 + 1] = end;
    return end;
  }

  #endOfName(start: number): number {
    let at = start;
    while (at - start <= nameLengthMax && isNameByte[this.#body[at] as number] === 1) at += 1;
    return at;
  }

  /** Only what needs no escape and is no control character. */
  #endOfText(start: number): number {
    const body = this.#body;
    let at = start;
    for (; at - start <= eventTextLengthMax; at += 1) {
      const byte = body[at] as number;
      if (!(byte >= firstPrintable && byte <= lastPrintable) || byte === quote || byte === backslash) break;
    }
    return at;
  }

  /** Writes the scanned event; undefined where its timestamp is none, and where an id is needed for a source. */
  #write(): PackedEvent | undefined {
    const [body, spans] = [this.#body, this.#spans];
    const at = this.#timestamp();
    if (at === undefined) return undefined;
    const hasSource = spans[source * 2] !== 0;
    if (hasSource && spans[eventId * 2] === 0) return undefined;
    const identity = hasSource ? identityOf(this.#text(eventId), this.#text(source)) : undefined;
    let bytes = frameBytes + timestampBytes + 2 * newEventIdBytes + (identity?.length ?? 0);
    for (let member = 0; member < members.length; member += 1) bytes += this.#lengthOf(member);
    bytes += this.#lengthOf(eventId);
    const { piece, start } = this.#roomFor(bytes);
    const idStart = start + recordHeaderBytes;
    const fieldsStart = this.#writeId(piece, idStart, identity);
    let end = fieldsStart;
    for (let member: number = eventId; member < payload; member += 1) {
      const from = spans[member * 2] as number;
      if (from === 0 && member !== timestamp && member !== eventId) continue;
      end = copy(leads[member] as Buffer, 0, (leads[member] as Buffer).length, piece, end);
      if (member === timestamp) end = copyText(at, piece, end);
      else if (from > 0) end = copy(body, from, spans[member * 2 + 1] as number, piece, end);
      else end = copy(piece, idStart, fieldsStart, piece, end);
      piece[end] = quote;
      end += 1;
    }
    end = copy(leads[payload] as Buffer, 0, (leads[payload] as Buffer).length, piece, end);
    const [from, to] = [spans[payload * 2] as number, spans[payload * 2 + 1] as number];
    end = this.#payloadSpaces === 0 ? copy(body, from, to, piece, end) : copyTight(body, from, to, piece, end);
    writeRecordHeader(piece, start, fieldsStart, end);
    if (piece === this.#piece) this.#used = end;
    const cluster = spans[clusterId * 2] === 0 ? undefined : this.#name(clusterId);
    return new PackedEvent(piece, start, fieldsStart, end, this.#name(eventType), cluster);
  }

  /** Writes what the event is known again by, and returns where it ends. */
  #writeId(piece: Buffer, start: number, identity: string | undefined): number {
    if (identity !== undefined) return start + piece.write(identity, start, "latin1");
    const from = this.#spans[eventId * 2] as number;
    if (from > 0) return copy(this.#body, from, this.#spans[eventId * 2 + 1] as number, piece, start);
    writeNewEventId(piece, start);
    return start + newEventIdBytes;
  }

  #lengthOf(member: number): number {
    return (this.#spans[member * 2 + 1] as number) - (this.#spans[member * 2] as number);
  }

  #name(member: number): string {
    return cachedName(this.#body, this.#spans[member * 2] as number, this.#spans[member * 2 + 1] as number);
  }

  #text(member: number): string {
    return this.#body.toString("latin1", this.#spans[member * 2], this.#spans[member * 2 + 1]);
  }

  #timestamp(): string | undefined {
    return this.#spans[timestamp * 2] === 0 ? this.#rules.receivedAt : normalizeTimestamp(this.#text(timestamp));
  }

  #roomFor(bytes: number): { readonly piece: Buffer; readonly start: number } {
    // Apart, so that what is left of the piece isn't lost.
    if (bytes > apartBytesMin) return { piece: Buffer.allocUnsafeSlow(bytes), start: 0 };
    if (this.#piece.length - this.#used < bytes) {
      // A publish of a few small events needs no more than it brings.
      const enough = Math.min(pieceBytes, 2 * this.#body.length + frameBytes);
      this.#piece = Buffer.allocUnsafe(Math.max(bytes, enough));
      this.#used = 0;
    }
    return { piece: this.#piece, start: this.#used };
  }
}

/** Which member's name stands at `start` with a quote behind it. */
function memberAt(body: Buffer, start: number): number {
  for (let member = 0; member < memberNames.length; member += 1) {
    const name = memberNames[member] as Buffer;
    if (body[start + name.length] === quote && isAt(body, start, name)) return member;
  }
  return other;
}

function isAt(body: Buffer, start: number, name: Buffer): boolean {
  for (let index = 0; index < name.length; index += 1) if (body[start + index] !== name[index]) return false;
  return true;
}

/** Copies `[start, end)` to `to`, and returns where that ends. */
function copy(from: Buffer, start: number, end: number, target: Buffer, to: number): number {
  const bytes = end - start;
  if (bytes > loopBytesMax) target.set(from.subarray(start, end), to);
  else for (let index = 0; index < bytes; index += 1) target[to + index] = from[start + index] as number;
  return to + bytes;
}

/** Writes ASCII to `to`, and returns where it ends. */
function copyText(text: string, target: Buffer, to: number): number {
  for (let index = 0; index < text.length; index += 1) target[to + index] = text.charCodeAt(index);
  return to + text.length;
}

/** As `copy`, without the white space between tokens. */
function copyTight(from: Buffer, start: number, end: number, target: Buffer, to: number): number {
  let isInString = false;
  let written = to;
  for (let at = start; at < end; at += 1) {
    const byte = from[at] as number;
    if (byte === quote) isInString = !isInString;
    else if (!isInString && byte <= firstPrintable) continue;
    else if (byte === backslash) {
      // Whatever is escaped, a quote above all.
      target[written] = byte;
      written += 1;
      at += 1;
    }
    target[written] = from[at] as number;
    written += 1;
  }
  return written;
}
