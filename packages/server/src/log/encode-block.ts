// Makes blocks of records (block-header.ts has the layout).
import { blockHeaderBytes, pairHeaderBytes, writeBlockHeader } from "./block-header.js";
import { writeRecordPair, type PackedRecord } from "./packed-event.js";

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

interface Pair {
  readonly type: Buffer;
  readonly cluster: Buffer | undefined;
}

/** Encodes records from index `start` on: as many as fit in {@link blockBytesMax}, one at least. */
export function encodeBlock(records: readonly PackedRecord[], start: number): EncodedBlock {
  const first = records[start] as PackedRecord;
  const pairs: Pair[] = [];
  const indexOf = pairIndexer(pairs);
  let bytes = blockHeaderBytes;
  let end = start;
  for (; end < records.length; end += 1) {
    const { event } = records[end] as PackedRecord;
    const pairsBefore = pairs.length;
    const index = indexOf(event.eventType, event.clusterId);
    const added = pairs.length > pairsBefore ? pairBytes(pairs[index] as Pair) : 0;
    const size = added + event.end - event.start;
    if (end > start && bytes + size > blockBytesMax) {
      pairs.length = pairsBefore;
      break;
    }
    bytes += size;
    writeRecordPair(event, index);
  }
  const value = Buffer.allocUnsafeSlow(bytes);
  copyRuns(records, start, end, value, writePairs(value, pairs));
  const count = end - start;
  writeBlockHeader(value, {
    firstSeq: first.seq,
    records: count,
    pairs: pairs.length,
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

function pairIndexer(pairs: Pair[]): (eventType: string, clusterId: string | undefined) => number {
  const byType = new Map<string, Map<string | undefined, number>>();
  let last: { readonly eventType: string; readonly clusterId: string | undefined; readonly index: number } | undefined;
  return (eventType, clusterId) => {
    if (last !== undefined && last.eventType === eventType && last.clusterId === clusterId) return last.index;
    let byCluster = byType.get(eventType);
    if (byCluster === undefined) {
      byCluster = new Map<string | undefined, number>();
      byType.set(eventType, byCluster);
    }
    let index = byCluster.get(clusterId);
    if (index === undefined) {
      index = pairs.length;
      byCluster.set(clusterId, index);
      pairs.push({
        type: Buffer.from(eventType),
        cluster: clusterId === undefined ? undefined : Buffer.from(clusterId),
      });
    }
    last = { eventType, clusterId, index };
    return index;
  };
}

function pairBytes(pair: Pair): number {
  return pairHeaderBytes + pair.type.length + (pair.cluster?.length ?? 0);
}

function writePairs(value: Buffer, pairs: readonly Pair[]): number {
  let offset = blockHeaderBytes;
  for (const { type, cluster } of pairs) {
    offset = value.writeUInt16LE(type.length, offset);
    offset = value.writeUInt16LE(cluster === undefined ? 0 : cluster.length + 1, offset);
    offset += type.copy(value, offset);
    if (cluster !== undefined) offset += cluster.copy(value, offset);
  }
  return offset;
}
