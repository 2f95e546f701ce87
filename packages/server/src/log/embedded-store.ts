// Records in an LMDB file of this machine: blocks under the seq of their first record, written and dropped whole.
import { readCheckedBlockHeader } from "./block-header.js";
import { commitError } from "./commit-error.js";
import type { DirectoryLock } from "./directory-lock.js";
import { encodeBlock, type EncodedBlock } from "./encode-block.js";
import { LogError, type LogPage, type PageBounds, type ReadOptions, type TakeRecord } from "./event-log.js";
import type { FileHeadroom } from "./file-headroom.js";
import {
  blockAt,
  blockKeyFrom,
  commitBatch,
  fileBytesAfter,
  metaKey,
  pageUseOf,
  type LmdbDatabase,
} from "./lmdb-database.js";
import type { RetentionLimits } from "./log-options.js";
import type { LogStore } from "./log-store.js";
import { encodeMeta, type MetaRecord } from "./meta-record.js";
import type { PackedRecord } from "./packed-event.js";
import { readBlocks, scanBlocks } from "./read-blocks.js";
import { isExpired, oldestByCount, type Segment } from "./retention.js";
import { TurnBudget } from "./turn-budget.js";

/** Bytes encoded in one turn of the event loop: about 1 ms. */
const encodeBytesPerTurn = 1024 * 1024;
/** Blocks looked at by one `retain`, about 5 ms. */
const retainBlocksMax = 128;
/** Blocks let go and not yet dropped; past it `retain` waits for sweeps. */
const garbageBlocksMax = 4096;
/** Blocks dropped by one sweep, and by a commit beside twice what it adds. */
const sweepBlocksMax = 256;
const sweepBlocksPerCommit = 8;

/** Commits between two looks for processes that died while they read, whose place would keep pages from being used. */
const readerCheckCommits = 256;

/** What a store is made of. */
export interface EmbeddedStoreParts {
  /** The store closes this and the next two. */
  readonly db: LmdbDatabase;
  /** Of the database's file. */
  readonly headroom: FileHeadroom;
  /** Of the database's directory. */
  readonly lock: DirectoryLock;
  readonly limits: RetentionLimits;
  /** As read from the database. */
  readonly meta: MetaRecord;
}

/** An LMDB database as a store. */
export class EmbeddedStore implements LogStore {
  readonly epoch: string;
  readonly #db: LmdbDatabase;
  readonly #headroom: FileHeadroom;
  readonly #lock: DirectoryLock;
  readonly #limits: RetentionLimits;
  #head: number;
  #oldest: number;
  /** Bytes of the blocks that are there; those of the garbage among them. */
  #bytes: number;
  #garbageBytes = 0;
  #commits = 0;
  /** Blocks wholly below `oldest`, oldest first. */
  #garbage: Segment[] = [];
  /** Key of the oldest block that is not garbage, and what it says, once read. */
  #tailKey: number;
  #tail: Segment | undefined;

  constructor({ db, headroom, lock, limits, meta }: EmbeddedStoreParts) {
    this.#db = db;
    this.#headroom = headroom;
    this.#lock = lock;
    this.#limits = limits;
    this.epoch = meta.epoch;
    this.#head = meta.head;
    this.#oldest = meta.oldest;
    this.#bytes = meta.bytes;
    this.#tailKey = blockKeyFrom(db, 1) ?? meta.head + 1;
  }

  get head(): number {
    return this.#head;
  }

  get oldest(): number {
    return this.#oldest;
  }

  get bytes(): number {
    return this.#bytes - this.#garbageBytes;
  }

  get hasGarbage(): boolean {
    return this.#garbage.length > 0;
  }

  async write(records: readonly PackedRecord[]): Promise<number> {
    const blocks = await encodeBlocks(records);
    await this.#commit(blocks, sweepBlocksPerCommit + blocks.length * 2);
    return sumBytes(blocks);
  }

  async sweep(): Promise<void> {
    if (this.#garbage.length > 0) await this.#commit([], sweepBlocksMax);
  }

  read(after: number, options: ReadOptions): LogPage {
    return readBlocks(this.#db, this, after, options);
  }

  scan(after: number, options: ReadOptions, take: TakeRecord): PageBounds {
    return scanBlocks(this.#db, this, after, options, take);
  }

  retain(nowMs: number): boolean {
    this.#oldest = oldestByCount(this.#limits, this.#head, this.#oldest);
    for (let looked = 0; this.#tailKey <= this.#head && this.#garbage.length < garbageBlocksMax; looked += 1) {
      if (looked === retainBlocksMax) return true;
      const tail = (this.#tail ??= this.#segmentAt(this.#tailKey));
      const isBelow = tail.lastSeq < this.#oldest;
      if (!isBelow && !isExpired(this.#limits, tail, this.#head, this.bytes, nowMs)) break;
      this.#oldest = Math.max(this.#oldest, tail.lastSeq + 1);
      this.#garbage.push(tail);
      this.#garbageBytes += tail.bytes;
      this.#tailKey = tail.lastSeq + 1;
      this.#tail = undefined;
    }
    return false;
  }

  async close(): Promise<void> {
    await this.#db.close();
    await this.#headroom.close();
    await this.#lock.release();
  }

  /** One transaction: the blocks, the meta record, and the removal of some garbage. */
  async #commit(blocks: readonly EncodedBlock[], sweepMax: number): Promise<void> {
    this.#commits += 1;
    if (this.#commits % readerCheckCommits === 0) this.#db.readerCheck();
    const swept = this.#garbage.slice(0, sweepMax);
    const sweptBytes = swept.reduce((sum, segment) => sum + segment.bytes, 0);
    const addedBytes = sumBytes(blocks);
    const head = blocks.at(-1)?.lastSeq ?? this.#head;
    const bytes = this.#bytes + addedBytes - sweptBytes;
    const oldest = oldestByCount(this.#limits, head, this.#oldest);
    const meta = encodeMeta({ epoch: this.epoch, head, oldest, bytes });
    const sizes = [...blocks.map((block) => block.value.length), meta.length];
    try {
      await this.#headroom.ensure(fileBytesAfter(pageUseOf(this.#db), sizes, swept.length));
      await commitBatch(this.#db, () => {
        // Removals first: pages that they free inside the transaction are taken for what is added.
        for (const segment of swept) void this.#db.remove(segment.firstSeq);
        for (const block of blocks) void this.#db.put(block.firstSeq, block.value);
        void this.#db.put(metaKey, meta);
      });
    } catch (cause) {
      throw commitError(cause);
    }
    this.#head = head;
    this.#bytes = bytes;
    this.#garbage = this.#garbage.slice(swept.length);
    this.#garbageBytes -= sweptBytes;
  }

  /** The block under `key`; of a damaged one what its neighbours tell, and an age that never expires. */
  #segmentAt(key: number): Segment {
    const lastSeq = this.#nextKey(key) - 1;
    const segment = { firstSeq: key, lastSeq, bytes: 0, appendedAtMs: Number.POSITIVE_INFINITY };
    try {
      const block = blockAt(this.#db, key);
      segment.bytes = block.length;
      segment.appendedAtMs = readCheckedBlockHeader(block, key).appendedAtMs;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
    }
    return segment;
  }

  #nextKey(key: number): number {
    return blockKeyFrom(this.#db, key + 1) ?? this.#head + 1;
  }
}

async function encodeBlocks(records: readonly PackedRecord[]): Promise<EncodedBlock[]> {
  const budget = new TurnBudget(encodeBytesPerTurn);
  const blocks: EncodedBlock[] = [];
  for (let start = 0; start < records.length;) {
    const block = encodeBlock(records, start);
    blocks.push(block);
    start += block.lastSeq - block.firstSeq + 1;
    await budget.spend(block.value.length);
  }
  return blocks;
}

function sumBytes(blocks: readonly EncodedBlock[]): number {
  return blocks.reduce((sum, block) => sum + block.value.length, 0);
}
