// The two meta pages of an LMDB file, of which each commit writes one: data format 2 (LMDB 1.0), little-endian, read
// without LMDB, which maps a file before it looks at it.
import { endianness } from "node:os";
import { LogError } from "./event-log.js";

/** Bytes of every page's header: u64 page · u64 txn · u16 pad · u16 flags · u16 lower, u16 upper or u32 pages. */
export const pageHeaderBytes = 24;

/** One of the file's two trees. */
export interface TreeRoot {
  readonly depth: number;
  readonly entries: number;
  /** Page of the root; meaningless where `depth` is 0. */
  readonly page: number;
}

/** What the newest commit left. */
export interface Snapshot {
  /** Number of the commit. */
  readonly txn: number;
  readonly pageBytes: number;
  readonly lastPage: number;
  readonly freeTree: TreeRoot;
  readonly mainTree: TreeRoot;
}

/** Bytes that hold both meta pages, whatever the page size. */
export const metaPagesBytes = 2 * 65_536;

const magic = 0xbeef_c0de;
const dataVersion = 2;
const pageBytesRange = [512, 65_536] as const;
// Offsets in a page: u32 magic · u32 version · u64 address · u64 map size · 48 bytes of each tree · u64 last page ·
// u64 txn. A tree: u32 page size (of the first) · u16 flags · u16 depth · 3 × u64 counts of pages · u64 entries · u64 root
const at = { flags: 18, magic: 24, version: 28, freeTree: 48, mainTree: 96, lastPage: 144, txn: 152 } as const;
const metaFlag = 0x08;
/** A file without a directory of its own (0x4000), its free list keyed by integers (0x08); one plain tree. */
const flagsOfTrees = { freeTree: 0x4008, mainTree: 0 } as const;

/**
 * Reads what the newest commit left, from the beginning of the file.
 * @throws {LogError} `LOG_FORMAT` of another format or machine, `LOG_DAMAGED`
 */
export function readSnapshot(start: Buffer): Snapshot {
  const first = readMeta(start, 0, 0);
  const second = readMeta(start, 1, first.pageBytes);
  // Each commit has the next txn and goes to the page that is its parity.
  const isSound = first.txn % 2 === 0 && second.txn % 2 === 1 && Math.abs(first.txn - second.txn) === 1;
  if (!isSound || second.pageBytes !== first.pageBytes) throw damaged("its two meta pages do not go together");
  return first.txn > second.txn ? first : second;
}

function readMeta(start: Buffer, page: 0 | 1, offset: number): Snapshot {
  const bytes = start.subarray(offset);
  if (endianness() !== "LE") throw new LogError("LOG_FORMAT", "the log's file is made for little-endian machines");
  if (
    bytes.length < at.txn + 8 ||
    bytes.readUInt32LE(at.magic) !== magic ||
    bytes.readUInt16LE(at.flags) !== metaFlag
  ) {
    throw damaged(`its meta page ${page} is not one`);
  }
  const version = bytes.readUInt32LE(at.version);
  if (version !== dataVersion) {
    throw new LogError(
      "LOG_FORMAT",
      `the log's file has LMDB data format ${version}; this program knows ${dataVersion}`,
    );
  }
  const pageBytes = bytes.readUInt32LE(at.freeTree);
  const [pageBytesMin, pageBytesMax] = pageBytesRange;
  const isPower = (pageBytes & (pageBytes - 1)) === 0;
  if (!isPower || pageBytes < pageBytesMin || pageBytes > pageBytesMax) {
    throw damaged(`its meta page ${page} tells a page size of ${pageBytes}`);
  }
  const { freeTree, mainTree } = flagsOfTrees;
  if (bytes.readUInt16LE(at.freeTree + 4) !== freeTree || bytes.readUInt16LE(at.mainTree + 4) !== mainTree) {
    throw damaged(`its meta page ${page} has flags that are not ours`);
  }
  return {
    pageBytes,
    lastPage: readU64(bytes, at.lastPage),
    txn: readU64(bytes, at.txn),
    freeTree: readTreeRoot(bytes.subarray(at.freeTree)),
    mainTree: readTreeRoot(bytes.subarray(at.mainTree)),
  };
}

function readTreeRoot(bytes: Buffer): TreeRoot {
  return { depth: bytes.readUInt16LE(6), entries: readU64(bytes, 32), page: readU64(bytes, 40) };
}

/** A u64 as a number; what is past 2^53 is past every bound that is checked, exact or not. */
export function readU64(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * 2 ** 32;
}

/** The error of a file that LMDB must not map. */
export function damaged(what: string): LogError {
  return new LogError("LOG_DAMAGED", `the log's file is damaged: ${what}`);
}
