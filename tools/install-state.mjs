// Whether what is installed is what the lock file asks for. Pure, and without dependencies: it runs before there are any.

/** Whether a dotted version is `least` or newer; what follows a hyphen is not looked at. */
export function isAtLeast(version, least) {
  const [a, b] = [version, least].map((text) => text.replace(/^v/, "").split("-")[0].split(".").map(Number));
  for (const [index, wanted] of b.entries()) {
    const found = a[index] ?? 0;
    if (found !== wanted) return found > wanted;
  }
  return true;
}

/**
 * Whether every package of the lock file is installed in its version. Contents decide and not the files' times, which a
 * checkout changes. Optional packages (binaries for other systems) may be absent.
 * @param {{ packages: Record<string, Entry> }} lock package-lock.json
 * @param {{ packages: Record<string, Entry> } | undefined} installed node_modules/.package-lock.json, where there is one
 * @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean,
 *   peer?: boolean }} Entry
 */
export function installIsCurrent(lock, installed) {
  if (installed === undefined) return false;
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (!path.startsWith("node_modules/") && !path.includes("/node_modules/")) return true;
    const found = installed.packages[path];
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true || wanted.peer === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}
