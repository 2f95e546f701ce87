// Serves the example page of the client on this machine, and gives it a token. A thing for trying Sluice out: it listens
// on the loopback only, and answers nobody who reached it under another name.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { freePort } from "../free-port.js";
import { inlineScriptHashes, type PageFiles } from "./page-files.js";
import { isPageKey } from "./page-key.js";

/** Where the page leads, and who may have a token there. */
export interface PageServerOptions {
  readonly files: PageFiles;
  /** Address of the gateway; undefined as long as it doesn't listen. */
  readonly serviceUrl: () => string | undefined;
  /** What `POST /session` has to carry in `x-sluice-key`. */
  readonly key: string;
  /** Makes a short-lived token; undefined where tokens are somebody else's to make, or none is asked for. */
  readonly makeToken: (() => Promise<string>) | undefined;
  /** Whether the page has to ask for a token. */
  readonly needsToken: boolean;
  /** The first port that is tried. */
  readonly port: number;
}

/** A page that is being served. */
export interface PageServer extends AsyncDisposable {
  /** For people: with the key in its fragment. */
  readonly url: string;
  /** What browsers send as `Origin`, under each of its names. */
  readonly origins: readonly string[];
}

const loopback = "127.0.0.1";
const keyHeader = "x-sluice-key";

/** Starts serving, on the first free port from `port` on. */
export async function servePage(options: PageServerOptions): Promise<PageServer> {
  const server = createServer({ maxHeaderSize: 8_192, requestTimeout: 5_000 });
  server.listen({ host: loopback, port: await freePort(loopback, options.port) });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const names = [`${loopback}:${port}`, `localhost:${port}`];
  server.on("request", (request, response) => {
    const url = options.serviceUrl();
    if (url === undefined) response.writeHead(503, { "retry-after": "1" }).end();
    // A page of somebody else whose name has come to mean this machine is not talked to.
    else if (!names.includes(request.headers.host ?? "")) response.writeHead(421).end();
    else answer(request, response, url, options);
  });
  return {
    url: `http://${loopback}:${port}/#key=${options.key}`,
    origins: names.map((name) => `http://${name}`),
    [Symbol.asyncDispose]: () => close(server),
  };
}

function pageHeaders(files: PageFiles, url: string): Readonly<Record<string, string>> {
  const hashes = inlineScriptHashes(files.get("/")?.body.toString() ?? "").join(" ");
  const service = new URL(url).origin;
  return {
    "content-security-policy":
      `default-src 'none'; script-src 'self' ${hashes}; style-src 'self'; img-src data:; ` +
      `connect-src 'self' ${service} ${service.replace("http", "ws")}; ` +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  };
}

function answer(request: IncomingMessage, response: ServerResponse, url: string, options: PageServerOptions): void {
  const headers = pageHeaders(options.files, url);
  const path = (request.url ?? "").replace(/\?.*/s, "");
  if (path === "/session") {
    giveSession(request, response, { url, headers }, options).catch(() => response.destroy());
    return;
  }
  const file = options.files.get(path);
  if (file === undefined) response.writeHead(404, headers).end();
  else if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { ...headers, allow: "GET, HEAD" }).end();
  } else {
    response.writeHead(200, { ...headers, "content-type": file.mediaType, "content-length": file.body.length });
    response.end(request.method === "GET" ? file.body : undefined);
  }
}

async function giveSession(
  { method, headers: given }: IncomingMessage,
  response: ServerResponse,
  { url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  { key, makeToken, needsToken }: PageServerOptions,
): Promise<void> {
  const keyGiven = given[keyHeader];
  if (method !== "POST") response.writeHead(405, { ...headers, allow: "POST" }).end();
  else if (!isPageKey(typeof keyGiven === "string" ? keyGiven : undefined, key)) response.writeHead(403, headers).end();
  else {
    const session = { url, token: await makeToken?.(), needs_token: needsToken };
    response.writeHead(200, { ...headers, "content-type": "application/json" }).end(JSON.stringify(session));
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
