// A file system with little room, for what happens when there is none left.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A mounted file system in memory. */
export interface SmallDisk extends AsyncDisposable {
  readonly dir: string;
}

/** Mounts one of a size as `mount` takes it, such as `8m`, or says why that can't be done here. */
export async function mountSmall(size: string): Promise<SmallDisk | { readonly refusal: string }> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-small-"));
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", dir], { stdio: "pipe" });
  } catch (error) {
    await remove();
    return { refusal: `no small file system can be mounted here: ${String(error)}` };
  }
  return {
    dir,
    [Symbol.asyncDispose]: async () => {
      execFileSync("umount", ["--lazy", dir]);
      await remove();
    },
  };
}
