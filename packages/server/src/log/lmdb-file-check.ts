// Looks at an LMDB file before LMDB maps it. LMDB trusts its pages: one that points past the end of a cut file is a
// SIGBUS, a flipped bit in one a wild read. Blocks have checksums; this looks at the pages that lead to them.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import {
  damaged,
  metaPagesBytes,
  pageHeaderBytes,
  readSnapshot,
  readU64,
  type Snapshot,
  type TreeRoot,
} from "./lmdb-meta-page.js";
import { TurnBudget } from "./turn-budget.js";

const flag = { branch: 0x01, leaf: 0x02, overflow: 0x04 } as const;
const pageKindMask = 0x2f;
/** u16 low, u16 high part of the size · u16 flags, or the highest part of a branch's page · u16 length of the key */
const nodeHeaderBytes = 8;
const nodeOverflows = 0x01;
/** u64 page · u64 txn · u64 pages */
const overflowPlaceBytes = 24;

/** Depth past which a tree is none: LMDB's own bound. */
const depthMax = 32;
/** Pages looked at in one turn of the event loop: about 5 ms. */
const pagesPerTurn = 1024;
/** Most pages looked at, 1 GiB of them, which is some seconds; what lies beyond is left to the blocks' checksums. */
const pagesMax = 262_144;

/**
 * Reads through both trees of an LMDB file, whatever their values hold, and changes nothing.
 * @throws {LogError} `LOG_DAMAGED` saying what is wrong, `LOG_FORMAT`
 */
export async function checkLmdbFile(path: string): Promise<void> {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(metaPagesBytes);
    const startBytes = readSync(file, start, 0, start.length, 0);
    const snapshot = readSnapshot(start.subarray(0, startBytes));
    const filePages = Math.floor(fstatSync(file).size / snapshot.pageBytes);
    // LMDB alone may leave its last pages unwritten where they are free; file-headroom.ts does not.
    if (filePages <= snapshot.lastPage)
      throw damaged(`it is cut: ${filePages} of ${snapshot.lastPage + 1} pages are there`);
    const walk = new TreeWalk(file, snapshot);
    await walk.check(snapshot.freeTree, "free list");
    await walk.check(snapshot.mainTree, "tree");
    // Every commit of ours writes the meta record, and with it the way to it from the root.
    if (walk.txnOf(snapshot.mainTree.page) !== snapshot.txn) throw damaged("its newest commit is another one's tree");
  } finally {
    closeSync(file);
  }
}

class TreeWalk {
  readonly #file: number;
  readonly #snapshot: Snapshot;
  readonly #pageBytes: number;
  readonly #budget = new TurnBudget(pagesPerTurn);
  #looked = 0;
  #entries = 0;
  #name = "";

  constructor(file: number, snapshot: Snapshot) {
    this.#file = file;
    this.#snapshot = snapshot;
    this.#pageBytes = snapshot.pageBytes;
  }

  async check(root: TreeRoot, name: string): Promise<void> {
    this.#name = name;
    this.#entries = 0;
    if (root.depth > depthMax) throw this.#damaged(`has a depth of ${root.depth}`);
    if (root.depth > 0) await this.#checkPage(root.page, root.depth);
    if (this.#looked < pagesMax && this.#entries !== root.entries) {
      throw this.#damaged(`has ${this.#entries} entries, and ${root.entries} by the meta page`);
    }
  }

  /** The commit that wrote a page. */
  txnOf(page: number): number {
    const header = Buffer.alloc(pageHeaderBytes);
    readSync(this.#file, header, 0, header.length, page * this.#pageBytes);
    return readU64(header, 8);
  }

  async #checkPage(page: number, depth: number): Promise<void> {
    if (this.#looked >= pagesMax) return;
    this.#looked += 1;
    await this.#budget.spend(1);
    const bytes = this.#read(page, depth > 1 ? flag.branch : flag.leaf, this.#pageBytes);
    const nodes = this.#nodesOf(bytes, page);
    if (depth === 1) {
      for (const node of nodes) this.#checkLeafNode(bytes, page, node);
      this.#entries += nodes.length;
      return;
    }
    for (const node of nodes) {
      const child = bytes.readUInt32LE(node) + bytes.readUInt16LE(node + 4) * 2 ** 32;
      await this.#checkPage(child, depth - 1);
    }
  }

  /** Offsets of the nodes of a page, each within it with its key. */
  #nodesOf(bytes: Buffer, page: number): number[] {
    const [lower, upper] = [bytes.readUInt16LE(20), bytes.readUInt16LE(22)];
    const room = this.#pageBytes - pageHeaderBytes;
    if (lower === 0 || lower % 2 !== 0 || lower > upper || upper > room) throw this.#damaged(`has a bad page ${page}`);
    const nodes: number[] = [];
    for (let entry = pageHeaderBytes; entry < pageHeaderBytes + lower; entry += 2) {
      const node = bytes.readUInt16LE(entry);
      const isWithin = node >= upper && node + nodeHeaderBytes <= room;
      const end = isWithin ? node + nodeHeaderBytes + bytes.readUInt16LE(pageHeaderBytes + node + 6) : Infinity;
      if (end > room) throw this.#damaged(`has a bad node on page ${page}`);
      nodes.push(pageHeaderBytes + node);
    }
    return nodes;
  }

  #checkLeafNode(bytes: Buffer, page: number, node: number): void {
    const valueBytes = bytes.readUInt32LE(node);
    const flags = bytes.readUInt16LE(node + 4);
    const value = node + nodeHeaderBytes + bytes.readUInt16LE(node + 6);
    const bytesHere = flags === nodeOverflows ? overflowPlaceBytes : valueBytes;
    if (flags > nodeOverflows || value + bytesHere > this.#pageBytes)
      throw this.#damaged(`has a bad node on page ${page}`);
    if (flags !== nodeOverflows) return;
    const [first, count] = [readU64(bytes, value), readU64(bytes, value + 16)];
    const countNeeded = Math.ceil((pageHeaderBytes + valueBytes) / this.#pageBytes);
    if (count !== countNeeded || first + count - 1 > this.#snapshot.lastPage)
      throw this.#damaged("has a value past its last page");
    const header = this.#read(first, flag.overflow, pageHeaderBytes);
    if (header.readUInt32LE(20) !== count) throw this.#damaged(`has a bad page ${first}`);
  }

  #read(page: number, kind: number, length: number): Buffer {
    const { lastPage, txn } = this.#snapshot;
    if (page < 2 || page > lastPage) throw this.#damaged(`leads to page ${page} of ${lastPage + 1}`);
    const bytes = Buffer.allocUnsafe(length);
    const bytesRead = readSync(this.#file, bytes, 0, length, page * this.#pageBytes);
    // A page of a later commit would be written in place, which is a write to a read-only map.
    const isSound = bytesRead === length && readU64(bytes, 0) === page && readU64(bytes, 8) <= txn;
    if (!isSound || (bytes.readUInt16LE(18) & pageKindMask) !== kind) throw this.#damaged(`has a bad page ${page}`);
    return bytes;
  }

  #damaged(what: string): Error {
    return damaged(`its ${this.#name} ${what}`);
  }
}
