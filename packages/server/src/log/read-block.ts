// Reads records out of blocks (block-header.ts has the layout).
import {
  blockHeaderBytes,
  pairHeaderBytes,
  readCheckedBlockHeader,
  recordHeaderBytes,
  type BlockHeader,
} from "./block-header.js";
import type { TakeRecord } from "./event-log.js";
import type { PageBuilder } from "./page-builder.js";
import type { Pair } from "./pair-numbers.js";

/** Told of a record that a page has admitted: its seq, its pair, and where it begins in its block. */
type Visit = (seq: number, pair: Pair, at: number) => void;

/**
 * Continues a page with the records of a block that it has not considered yet. What the page takes is copied, and no
 * more than that, so that `block` may be overwritten and a narrow match holds little memory.
 *
 * @returns seq of the block's last record
 * @throws {LogError} `LOG_DAMAGED`, `LOG_FORMAT`
 */
export function readBlock(block: Buffer, firstSeq: number, page: PageBuilder): number {
  const found: { readonly seq: number; readonly pair: Pair; readonly at: number }[] = [];
  let bytes = 0;
  const { appendedAtMs, records } = visitWanted(block, firstSeq, page, (seq, pair, at) => {
    found.push({ seq, pair, at });
    bytes += block.readUInt32LE(at);
  });
  const copy = Buffer.allocUnsafeSlow(bytes);
  let offset = 0;
  for (const { seq, pair, at } of found) {
    const { eventType, clusterId } = pair;
    const fieldsStart = fieldsStartOf(block, at);
    const eventId = block.toString("utf8", at + recordHeaderBytes, fieldsStart);
    const start = offset;
    offset += block.copy(copy, start, fieldsStart, fieldsStart + block.readUInt32LE(at));
    page.push({ seq, appendedAtMs, eventId, eventType, clusterId, fields: copy.subarray(start, offset) });
  }
  return firstSeq + records - 1;
}

/**
 * As {@link readBlock}, but hands the records to `take` where they lie in the block.
 *
 * @returns seq of the block's last record
 * @throws {LogError} `LOG_DAMAGED`, `LOG_FORMAT`
 */
export function scanBlock(block: Buffer, firstSeq: number, page: PageBuilder, take: TakeRecord): number {
  const { records } = visitWanted(block, firstSeq, page, (seq, { eventType, clusterId }, at) => {
    const start = fieldsStartOf(block, at);
    take(seq, eventType, clusterId, block, start, start + block.readUInt32LE(at));
  });
  return firstSeq + records - 1;
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

function fieldsStartOf(block: Buffer, at: number): number {
  return at + recordHeaderBytes + block.readUInt16LE(at + 6);
}

function visitWanted(block: Buffer, firstSeq: number, page: PageBuilder, visit: Visit): BlockHeader {
  const header = readCheckedBlockHeader(block, firstSeq);
  const { pairs, end } = readPairs(block, header.pairs);
  const isWanted = pairs.map(({ eventType, clusterId }) => page.wants(eventType, clusterId));
  const lastSeq = firstSeq + header.records - 1;
  let at = end;
  for (let seq = firstSeq; seq <= lastSeq && !page.isDone; seq += 1) {
    const fieldsBytes = block.readUInt32LE(at);
    const next = fieldsStartOf(block, at) + fieldsBytes;
    if (seq >= page.nextSeq) {
      const pair = block.readUInt16LE(at + 4);
      if (isWanted[pair] !== true) page.skip(seq);
      else if (page.admit(seq, fieldsBytes)) visit(seq, pairs[pair] as Pair, at);
    }
    at = next;
  }
  return header;
}
