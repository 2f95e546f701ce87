/**
 * The address to listen on for a host of the settings: `localhost` is 127.0.0.1, anything else stays as it is. Where that
 * name has `::1` too, fastify would listen there with a server of its own making, which has none of the bounds that ours
 * is given.
 */
export function listenHost(host: string): string {
  return host.toLowerCase() === "localhost" ? "127.0.0.1" : host;
}
