// The target as a backend gets it: the caller's path below the backend's own, and the query without what authenticated.
const credentials: ReadonlySet<string> = new Set(["token", "ticket"]);

/** The path and query to ask a backend for. Never holds a token or a ticket, however its name is written. */
export function forwardedTarget(target: string, upstream: URL): string {
  const [path = "/", ...rest] = target.split("?");
  const base = upstream.pathname.replace(/\/+$/, "");
  const query = rest
    .join("?")
    .split("&")
    .filter((part) => part !== "" && !credentials.has(nameOf(part)));
  return base + path + (query.length === 0 ? "" : `?${query.join("&")}`);
}

/** As the reader of the query will read it. */
function nameOf(part: string): string {
  return [...new URLSearchParams(part).keys()][0] ?? "";
}
