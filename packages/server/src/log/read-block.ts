// Reads records out of blocks (block-header.ts has the layout).
import { blockHeaderBytes, pairHeaderBytes, readCheckedBlockHeader, recordHeaderBytes } from "./block-header.js";
import type { PageBuilder } from "./page-builder.js";

interface Pair {
  readonly eventType: string;
  readonly clusterId: string | undefined;
}

/** Where an admitted record lies in its block. */
interface Place {
  readonly seq: number;
  readonly pair: number;
  readonly idStart: number;
  readonly fieldsStart: number;
  readonly fieldsEnd: number;
}

/**
 * Continues a page with the records of a block that it has not considered yet. What the page takes is copied, and no
 * more than that, so that `block` may be overwritten and a narrow match holds little memory.
 *
 * @returns seq of the block's last record
 * @throws {LogError} `LOG_DAMAGED`, `LOG_FORMAT`
 */
export function readBlock(block: Buffer, firstSeq: number, page: PageBuilder): number {
  const header = readCheckedBlockHeader(block, firstSeq);
  const { pairs, end } = readPairs(block, header.pairs);
  const lastSeq = firstSeq + header.records - 1;
  const places = findWanted(block, end, firstSeq, lastSeq, pairs, page);
  const bytes = places.reduce((sum, place) => sum + place.fieldsEnd - place.fieldsStart, 0);
  const copy = Buffer.allocUnsafeSlow(bytes);
  let offset = 0;
  for (const { seq, pair, idStart, fieldsStart, fieldsEnd } of places) {
    const { eventType, clusterId } = pairs[pair] as Pair;
    const eventId = block.toString("utf8", idStart, fieldsStart);
    const start = offset;
    offset += block.copy(copy, start, fieldsStart, fieldsEnd);
    const fields = copy.subarray(start, offset);
    page.push({ seq, appendedAtMs: header.appendedAtMs, eventId, eventType, clusterId, fields });
  }
  return lastSeq;
}

/**
 * The event ids of a block, in order.
 * @throws {LogError} `LOG_DAMAGED`, `LOG_FORMAT`
 */
export function readBlockIds(block: Buffer, firstSeq: number): string[] {
  const header = readCheckedBlockHeader(block, firstSeq);
  const ids: string[] = [];
  let offset = readPairs(block, header.pairs).end;
  while (ids.length < header.records) {
    const idStart = offset + recordHeaderBytes;
    const fieldsStart = idStart + block.readUInt16LE(offset + 6);
    ids.push(block.toString("utf8", idStart, fieldsStart));
    offset = fieldsStart + block.readUInt32LE(offset);
  }
  return ids;
}

function readPairs(block: Buffer, count: number): { pairs: Pair[]; end: number } {
  const pairs: Pair[] = [];
  let offset = blockHeaderBytes;
  for (let index = 0; index < count; index += 1) {
    const typeStart = offset + pairHeaderBytes;
    const clusterStart = typeStart + block.readUInt16LE(offset);
    const clusterLengthPlus1 = block.readUInt16LE(offset + 2);
    const end = clusterStart + Math.max(0, clusterLengthPlus1 - 1);
    pairs.push({
      eventType: block.toString("utf8", typeStart, clusterStart),
      clusterId: clusterLengthPlus1 === 0 ? undefined : block.toString("utf8", clusterStart, end),
    });
    offset = end;
  }
  return { pairs, end: offset };
}

function findWanted(
  block: Buffer,
  start: number,
  firstSeq: number,
  lastSeq: number,
  pairs: readonly Pair[],
  page: PageBuilder,
): Place[] {
  const isWanted = pairs.map(({ eventType, clusterId }) => page.wants(eventType, clusterId));
  const places: Place[] = [];
  let offset = start;
  for (let seq = firstSeq; seq <= lastSeq && !page.isDone; seq += 1) {
    const fieldsBytes = block.readUInt32LE(offset);
    const pair = block.readUInt16LE(offset + 4);
    const idStart = offset + recordHeaderBytes;
    const fieldsStart = idStart + block.readUInt16LE(offset + 6);
    const fieldsEnd = fieldsStart + fieldsBytes;
    offset = fieldsEnd;
    if (seq < page.nextSeq) continue;
    if (isWanted[pair] !== true) page.skip(seq);
    else if (page.admit(seq, fieldsBytes)) places.push({ seq, pair, idStart, fieldsStart, fieldsEnd });
  }
  return places;
}
