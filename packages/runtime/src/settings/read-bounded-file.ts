// Reading a small file without trusting its size: pipes have none and files grow.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** What came of reading; `reason` is for people and holds neither path nor content. */
export type BoundedRead =
  | { readonly ok: true; readonly bytes: Buffer; readonly mode: number }
  | { readonly ok: false; readonly reason: string };

const groupOrWorldReadable = 0o044;

/** Whether others than the owner can read a file of this mode. */
export function isReadableByOthers(mode: number): boolean {
  return (mode & groupOrWorldReadable) !== 0;
}

function systemReason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  return `cannot be read (${code})`;
}

/** Reads at most `bytesMax` bytes; more than that is refused and not cut off. */
export function readBoundedFile(path: string, bytesMax: number): BoundedRead {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const { mode } = fstatSync(file);
    const buffer = Buffer.allocUnsafe(bytesMax + 1);
    let length = 0;
    while (length < buffer.length) {
      const read = readSync(file, buffer, length, buffer.length - length, null);
      if (read === 0) break;
      length += read;
    }
    if (length > bytesMax) return { ok: false, reason: `is larger than ${bytesMax} bytes` };
    return { ok: true, bytes: buffer.subarray(0, length), mode };
  } catch (error) {
    return { ok: false, reason: systemReason(error) };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
