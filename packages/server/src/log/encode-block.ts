// Makes blocks of records (block-header.ts has the layout).
import { blockHeaderBytes, pairHeaderBytes, recordHeaderBytes, writeBlockHeader } from "./block-header.js";
import type { EventRecord } from "./event-log.js";

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
export function encodeBlock(records: readonly EventRecord[], start: number): EncodedBlock {
  const first = records[start] as EventRecord;
  const pairs: Pair[] = [];
  const pairIndexes: number[] = [];
  const idLengths: number[] = [];
  const indexOf = pairIndexer(pairs);
  let bytes = blockHeaderBytes;
  for (let at = start; at < records.length; at += 1) {
    const record = records[at] as EventRecord;
    const pairsBefore = pairs.length;
    const index = indexOf(record.eventType, record.clusterId);
    const idLength = Buffer.byteLength(record.eventId);
    const added = pairs.length > pairsBefore ? pairBytes(pairs[index] as Pair) : 0;
    const size = added + recordHeaderBytes + idLength + record.fields.length;
    if (at > start && bytes + size > blockBytesMax) {
      pairs.length = pairsBefore;
      break;
    }
    bytes += size;
    pairIndexes.push(index);
    idLengths.push(idLength);
  }
  const value = Buffer.allocUnsafeSlow(bytes);
  let offset = writePairs(value, pairs);
  pairIndexes.forEach((pair, index) => {
    const { eventId, fields } = records[start + index] as EventRecord;
    const idLength = idLengths[index] as number;
    offset = value.writeUInt32LE(fields.length, offset);
    offset = value.writeUInt16LE(pair, offset);
    offset = value.writeUInt16LE(idLength, offset);
    offset += value.write(eventId, offset);
    offset += fields.copy(value, offset);
  });
  writeBlockHeader(value, {
    firstSeq: first.seq,
    records: pairIndexes.length,
    pairs: pairs.length,
    appendedAtMs: first.appendedAtMs,
  });
  return { firstSeq: first.seq, lastSeq: first.seq + pairIndexes.length - 1, value };
}

function pairIndexer(pairs: Pair[]): (eventType: string, clusterId: string | undefined) => number {
  const byType = new Map<string, Map<string | undefined, number>>();
  return (eventType, clusterId) => {
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
