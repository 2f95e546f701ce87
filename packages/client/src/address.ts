// Where the service is: one address, from which the WebSocket's and the HTTP API's follow.

/** Cut off an address, so that it may be given with or without. */
const knownPaths = /(\/api\/v1(\/ws|\/events)?|\/ws)?\/*$/;

/** Members of a query; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * The base address of a service or gateway, ending in `/`; relative to the page in browsers. A path prefix is kept, user
 * and password are not. @throws {TypeError} for what is no address of these schemes, and for one with a query: a token in a URL is
 * written to logs by everything that sees it.
 */
export function serviceAddress(text: string | URL): string {
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  const { protocol, host, pathname, search } = new URL(text, page);
  if (!/^(http|ws)s?:$/.test(protocol) || search !== "")
    throw new TypeError("url must be http(s) or ws(s), without a query");
  return `${protocol.replace("ws", "http")}//${host}${pathname.replace(knownPaths, "/")}`;
}

/** The address of a path below `base`. */
export function pathAddress(base: string, path: string, query: Query): string {
  // As JSON has it: no member for undefined.
  const members = JSON.parse(JSON.stringify(query)) as Record<string, string>;
  return `${base}${path}?${new URLSearchParams(members).toString()}`;
}
