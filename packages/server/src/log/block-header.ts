// The block: records of one commit under one checksum, the unit of storage and of reading. Each pair of event type and
// cluster is written once, so that a reader's match is asked once a pair and not once a record. Little-endian:
//
//   header  u32 crc32 of all that follows · u16 magic · u16 version · u32 length of the block · u32 records ·
//           f64 first seq · f64 appendedAtMs · u32 pairs
//   pairs   u16 length of the event type · u16 length of the cluster + 1, 0 = none · type · cluster
//   records u32 length of fields · u16 pair (a block has room for fewer) · u16 length of the event id · id · fields
import { crc32 } from "node:zlib";
import { LogError } from "./event-log.js";

/** Bytes of the parts of the layout above. */
export const blockHeaderBytes = 36;
export const pairHeaderBytes = 4;
export const recordHeaderBytes = 8;

const magic = 0x4253;
/** Version of the layout; a block of another is refused with `LOG_FORMAT`. */
const blockVersion = 1;

/** What a block says of itself. */
export interface BlockHeader {
  readonly firstSeq: number;
  readonly records: number;
  readonly pairs: number;
  readonly appendedAtMs: number;
}

/** Writes the header of a block whose pairs and records are written, with the checksum of all. */
export function writeBlockHeader(block: Buffer, header: BlockHeader & { readonly version?: number }): void {
  block.writeUInt16LE(magic, 4);
  block.writeUInt16LE(header.version ?? blockVersion, 6);
  block.writeUInt32LE(block.length, 8);
  block.writeUInt32LE(header.records, 12);
  block.writeDoubleLE(header.firstSeq, 16);
  block.writeDoubleLE(header.appendedAtMs, 24);
  block.writeUInt32LE(header.pairs, 32);
  block.writeUInt32LE(crc32(block.subarray(4)), 0);
}

/**
 * Reads the header of the block stored under `firstSeq`, after checking the block against its checksum.
 * @throws {LogError} `LOG_DAMAGED`, `LOG_FORMAT`
 */
export function readCheckedBlockHeader(block: Buffer, firstSeq: number): BlockHeader {
  // First, and the same in every version: only what passes it means what it says.
  if (block.length < blockHeaderBytes || crc32(block.subarray(4)) !== block.readUInt32LE(0)) {
    throw new LogError("LOG_DAMAGED", `the block from seq ${firstSeq} on fails its checksum`);
  }
  const version = block.readUInt16LE(6);
  if (block.readUInt16LE(4) !== magic || version !== blockVersion) {
    throw new LogError("LOG_FORMAT", `the block from seq ${firstSeq} on has format version ${version}, not known here`);
  }
  const records = block.readUInt32LE(12);
  if (block.readUInt32LE(8) !== block.length || block.readDoubleLE(16) !== firstSeq || records === 0) {
    throw new LogError("LOG_DAMAGED", `the block from seq ${firstSeq} on is another one`);
  }
  return { firstSeq, records, pairs: block.readUInt32LE(32), appendedAtMs: block.readDoubleLE(24) };
}
