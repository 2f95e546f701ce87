// Makes blocks of records (block-header.ts has the layout).
import { blockHeaderBytes, pairHeaderBytes, writeBlockHeader } from "./block-header.js";
import { writeRecordPair, type PackedRecord } from "./packed-event.js";
import { PairNumbers, type Pair } from "./pair-numbers.js";

/**
 * Most bytes of a block, unless one record alone is larger: an LMDB value of this size with its 24-byte page header
 * fills 16 pages of 4 KiB exactly.
 */
export const blockBytesMax = 16 * 4096 - 24;

/** A block made, and which records it took. */
export interface EncodedBlock {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly value: Buffer;
}

/** Encodes records from index `start` on: as many as fit in {@link blockBytesMax}, one at least. */
export function encodeBlock(records: readonly PackedRecord[], start: number): EncodedBlock {
  const first = records[start] as PackedRecord;
  const pairs = new PairNumbers();
  let bytes = blockHeaderBytes;
  let end = start;
  for (; end < records.length; end += 1) {
    const { event } = records[end] as PackedRecord;
    const pairsBefore = pairs.all.length;
    const number = pairs.numberOf(event.eventType, event.clusterId);
    const added = number === pairsBefore ? pairBytes(event) : 0;
    const size = added + event.end - event.start;
    if (end > start && bytes + size > blockBytesMax) {
      pairs.all.length = pairsBefore;
      break;
    }
    bytes += size;
    writeRecordPair(event, number);
  }
  const value = Buffer.allocUnsafeSlow(bytes);
  copyRuns(records, start, end, value, writePairs(value, pairs.all));
  const count = end - start;
  writeBlockHeader(value, {
    firstSeq: first.seq,
    records: count,
    pairs: pairs.all.length,
    appendedAtMs: first.appendedAtMs,
  });
  return { firstSeq: first.seq, lastSeq: first.seq + count - 1, value };
}

/** Copies records `[start, end)`; those that lie side by side go at once. */
function copyRuns(records: readonly PackedRecord[], start: number, end: number, value: Buffer, offset: number): void {
  let run = (records[start] as PackedRecord).event;
  let runEnd = run.end;
  let written = offset;
  for (let at = start + 1; at < end; at += 1) {
    const { event } = records[at] as PackedRecord;
    if (event.bytes !== run.bytes || event.start !== runEnd) {
      written += run.bytes.copy(value, written, run.start, runEnd);
      run = event;
    }
    runEnd = event.end;
  }
  run.bytes.copy(value, written, run.start, runEnd);
}

function pairBytes({ eventType, clusterId = "" }: Pair): number {
  return pairHeaderBytes + Buffer.byteLength(eventType) + Buffer.byteLength(clusterId);
}

function writePairs(value: Buffer, pairs: readonly Pair[]): number {
  let offset = blockHeaderBytes;
  for (const { eventType, clusterId } of pairs) {
    const typeStart = offset + pairHeaderBytes;
    const clusterStart = typeStart + value.write(eventType, typeStart);
    value.writeUInt16LE(clusterStart - typeStart, offset);
    const end = clusterId === undefined ? clusterStart : clusterStart + value.write(clusterId, clusterStart);
    value.writeUInt16LE(clusterId === undefined ? 0 : end - clusterStart + 1, offset + 2);
    offset = end;
  }
  return offset;
}
