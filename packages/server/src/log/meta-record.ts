// The one record that says what a log is and where it stands; it changes in the same transaction as the blocks.
import { crc32 } from "node:zlib";
import { LogError } from "./event-log.js";

/** Version of the whole storage format; another one is refused with `LOG_FORMAT`. */
export const formatVersion = 1;

/** Where a log stands. */
export interface MetaRecord {
  readonly epoch: string;
  /** Seq of the newest record; 0 before the first. */
  readonly head: number;
  /** Seq of the oldest retained record. Blocks wholly below it may still be there. */
  readonly oldest: number;
  /** Bytes of all blocks that are there. */
  readonly bytes: number;
}

// u32 crc32 of all that follows · u32 magic · u32 version · f64 head · f64 oldest · f64 bytes · epoch, 36 of ASCII
const magic = 0x4d43_4c53;
const epochStart = 36;
const epochBytes = 36;
const metaBytes = epochStart + epochBytes;

/** Encodes a meta record; the epoch is a UUID. */
export function encodeMeta(meta: MetaRecord): Buffer {
  const value = Buffer.allocUnsafeSlow(metaBytes);
  value.writeUInt32LE(magic, 4);
  value.writeUInt32LE(formatVersion, 8);
  value.writeDoubleLE(meta.head, 12);
  value.writeDoubleLE(meta.oldest, 20);
  value.writeDoubleLE(meta.bytes, 28);
  value.write(meta.epoch, epochStart, "latin1");
  value.writeUInt32LE(crc32(value.subarray(4)), 0);
  return value;
}

/**
 * Decodes a meta record.
 * @throws {LogError} `LOG_FORMAT` where another version wrote it, `LOG_DAMAGED`
 */
export function decodeMeta(value: Buffer): MetaRecord {
  // First, and the same in every version: only what passes it means what it says.
  if (value.length < 12 || crc32(value.subarray(4)) !== value.readUInt32LE(0)) {
    throw new LogError("LOG_DAMAGED", "the log's meta record fails its checksum");
  }
  const version = value.readUInt32LE(8);
  if (value.readUInt32LE(4) !== magic || version !== formatVersion || value.length !== metaBytes) {
    throw new LogError("LOG_FORMAT", `the log has format version ${version}; this program knows ${formatVersion}`);
  }
  return {
    epoch: value.toString("latin1", epochStart, metaBytes),
    head: value.readDoubleLE(12),
    oldest: value.readDoubleLE(20),
    bytes: value.readDoubleLE(28),
  };
}
