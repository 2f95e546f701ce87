// What the operating system says about a file, in words.

const words: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "may not be opened (permission denied)",
  EPERM: "may not be opened (permission denied)",
  EEXIST: "is in the way of a directory",
  EISDIR: "is a directory",
  ENOTDIR: "has something in its path that is no directory",
  ENOSPC: "can't be written: the disk is full",
  EROFS: "can't be written: the file system is read-only",
  EMFILE: "can't be opened: too many files are open",
};

/** Completes a sentence that begins with the file: `does not exist`. */
export function describeFileError(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return words[code] ?? `can't be used (${code === "" ? String(error) : code})`;
}
