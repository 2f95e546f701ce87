// A port for a trial, near the one that the documentation names.
import { createServer } from "node:net";

/** Ports that are tried after the first. */
const triesMax = 100;

/** `first`, or the next port of `host` that is free; `first` where none is, so that starting tells why. */
export async function freePort(host: string, first: number): Promise<number> {
  for (let port = first; port <= first + triesMax; port += 1) {
    if (await isFree(host, port)) return port;
  }
  return first;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(!("code" in error && error.code === "EADDRINUSE")));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
