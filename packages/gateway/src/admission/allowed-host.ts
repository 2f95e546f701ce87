// Which names the gateway answers to: a page that another name was pointed here for (DNS rebinding) gets nothing.

/** Whether the `Host` of a request is among the names; port and case do not count. An empty list allows any. */
export function isHostAllowed(host: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true;
  const name = (host ?? "")
    .toLowerCase()
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
  return allowed.some((candidate) => candidate.toLowerCase().replace(/\.$/, "") === name);
}
