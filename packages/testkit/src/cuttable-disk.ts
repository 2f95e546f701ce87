// A disk whose power can be cut while it is written to: an ext4 file system in an image file, on a loop device.
//
// A plain copy of the image would be no power cut: its blocks would be of different moments. So the image file lies in a
// second ext4 file system, the shelf, which has a loop device of its own. Freezing the shelf stops every write to the
// image in one instant, whoever makes it: the process, the journal, the kernel's writeback. The file system within is
// neither flushed nor told, so its dirty pages stay in memory and are not in the copy that is taken then. The copy holds
// what a disk would hold that loses nothing it has said yes to.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const mebibyte = 1_048_576;
/** Room on the shelf beyond the image, for its own file system. */
const shelfExtra = 48 * mebibyte;

export interface CuttableDiskOptions {
  /** Of the file system, MiB; default 256. The files are sparse. */
  readonly sizeMib?: number;
}

/** Why there is no such disk here, in words for whoever reads that a test was skipped. */
export interface NoDisk {
  readonly refusal: string;
}

async function makeFileSystem(image: string, bytes: number): Promise<void> {
  const file = await open(image, "w");
  await file.truncate(bytes);
  await file.close();
  await run("mkfs.ext4", ["-q", "-F", image]);
}

/** A mounted disk. Needs root, loop devices, `mkfs.ext4` and `fsfreeze`. */
export class CuttableDisk implements AsyncDisposable {
  /** Where the file system is mounted; the same after every cut. */
  readonly dir: string;
  readonly #root: string;
  readonly #shelf: string;
  readonly #image: string;
  #mounted: string[] = [];

  private constructor(root: string) {
    this.#root = root;
    this.#shelf = join(root, "shelf");
    this.#image = join(this.#shelf, "disk.img");
    this.dir = join(root, "disk");
  }

  /** Makes and mounts one, or says why it can't be done here. */
  static async make({ sizeMib = 256 }: CuttableDiskOptions = {}): Promise<CuttableDisk | NoDisk> {
    const root = await mkdtemp(join(tmpdir(), "sluice-disk-"));
    const disk = new CuttableDisk(root);
    try {
      await Promise.all([mkdir(disk.#shelf), mkdir(disk.dir)]);
      const shelfImage = join(root, "shelf.img");
      await makeFileSystem(shelfImage, sizeMib * mebibyte + shelfExtra);
      await disk.#mount(shelfImage, disk.#shelf);
      await makeFileSystem(disk.#image, sizeMib * mebibyte);
      await disk.#mount(disk.#image, disk.dir);
      return disk;
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      return { refusal: `no disk to cut the power of can be made here: ${String(error)}` };
    }
  }

  /**
   * Cuts the power: nothing that is written from some instant within this call on is on the disk. `whileFrozen` ends the
   * processes that use the disk, with SIGKILL; when it has, the disk is mounted again as it was at that instant.
   */
  async cutPower(whileFrozen: () => Promise<unknown>): Promise<void> {
    const copy = join(this.#root, "after.img");
    await run("fsfreeze", ["--freeze", this.#shelf]);
    let ended: Promise<unknown>;
    try {
      await run("cp", ["--sparse=always", this.#image, copy]);
      ended = whileFrozen();
      ended.catch(() => {});
    } finally {
      // A process that waits for the disk dies only when the disk has answered.
      await run("fsfreeze", ["--unfreeze", this.#shelf]);
    }
    await ended;
    await this.#unmount(this.dir);
    await run("cp", ["--sparse=always", copy, this.#image]);
    await rm(copy);
    await this.#mount(this.#image, this.dir);
  }

  /** What `e2fsck` finds wrong; undefined when nothing is. Nobody may be using the disk. */
  async faults(): Promise<string | undefined> {
    await this.#unmount(this.dir);
    try {
      await run("e2fsck", ["-f", "-n", this.#image]);
      return undefined;
    } catch (error) {
      return String(error);
    } finally {
      await this.#mount(this.#image, this.dir);
    }
  }

  async #mount(image: string, dir: string): Promise<void> {
    await run("mount", ["-o", "loop", image, dir]);
    this.#mounted.push(dir);
  }

  async #unmount(dir: string): Promise<void> {
    await run("umount", [dir]);
    this.#mounted = this.#mounted.filter((mounted) => mounted !== dir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const dir of this.#mounted.toReversed()) await run("umount", ["--lazy", dir]);
    await rm(this.#root, { recursive: true, force: true });
  }
}
