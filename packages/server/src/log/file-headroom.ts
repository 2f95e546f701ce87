// Room on the disk, taken before a commit needs it. A write that finds the disk full must not happen inside LMDB: it
// tells a cut-short write as EIO, and lmdb-js 3.5 then writes past the end of a buffer of its error message.
import { open, type FileHandle } from "node:fs/promises";

const zeros = Buffer.alloc(256 * 1024);
/** Room taken beyond what is asked for: an eighth of the file, but 4 MiB at most, which is written in about 5 ms. */
const spareBytesMax = 4 * 1024 * 1024;

/** Keeps the end of a file ahead of what is used of it. It only ever appends. */
export class FileHeadroom {
  readonly #file: FileHandle;
  #bytes = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Opens an existing file. */
  static async open(path: string): Promise<FileHeadroom> {
    return new FileHeadroom(await open(path, "a"));
  }

  /**
   * Makes the file so many bytes long at least, of room that is its own: zeros are written, since a hole is no room.
   * Nobody else may be writing to the file meanwhile.
   * @throws what the file system says, such as ENOSPC; what was appended until then stays
   */
  async ensure(bytes: number): Promise<void> {
    if (this.#bytes >= bytes) return;
    this.#bytes = (await this.#file.stat()).size;
    const target = bytes + Math.min(Math.max(Math.floor(this.#bytes / 8), zeros.length), spareBytesMax);
    try {
      while (this.#bytes < target) await this.#append(target - this.#bytes);
    } catch (error) {
      // More than was asked for is a comfort only.
      if (this.#bytes < bytes) throw error;
    }
  }

  /** Makes the length durable. */
  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #append(bytes: number): Promise<void> {
    const { bytesWritten } = await this.#file.write(zeros, 0, Math.min(bytes, zeros.length));
    this.#bytes += bytesWritten;
  }
}
