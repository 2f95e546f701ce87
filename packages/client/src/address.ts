// Where the service is: one address, from which the WebSocket's and the HTTP API's follow.

const webSchemes: Readonly<Record<string, string>> = { "ws:": "http:", "wss:": "https:" };

/** Cut off an address, so that it may be given with or without. */
const knownPaths = /(?:\/api\/v1(?:\/ws|\/events)?|\/ws)?\/*$/;

/**
 * The base address of a service or gateway, ending in `/`; relative to the page in browsers. A path prefix is kept.
 * @throws {TypeError} for what is no such address, or holds user, password or query: tokens don't belong into a URL.
 */
export function serviceAddress(text: string | URL): URL {
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  const url = new URL(text, page);
  // A new URL, since browsers don't let `protocol` change between the special schemes of others.
  const base = new URL(url.href.replace(url.protocol, webSchemes[url.protocol] ?? url.protocol));
  if (!base.protocol.startsWith("http")) throw new TypeError("url must begin with http, https, ws or wss");
  if (base.username !== "" || base.password !== "" || base.search !== "") {
    throw new TypeError("url must be without user, password and query; a token goes into the token option");
  }
  base.hash = "";
  base.pathname = base.pathname.replace(knownPaths, "/");
  return base;
}

/** The address of a path below `base`, with a query; members that are undefined are left out. */
export function pathAddress(
  base: URL,
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): URL {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

/** The WebSocket's address, as text: `ws://…/ws?policy=…`. */
export function socketAddress(base: URL, query: Readonly<Record<string, string | number | undefined>>): string {
  return pathAddress(base, "ws", query).href.replace(/^http/, "ws");
}
