// The HTTP server of the door, with or without TLS, and a second one for health and metrics when they listen apart.
import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import cors from "@fastify/cors";
import {
  boundPipelining,
  cutStalled,
  isOriginAllowed,
  listenHost,
  problemServerOptions,
  registerProblemHandlers,
  registerWebSocketPaths,
  restDeadlines,
  sendProblem,
  type Settings,
} from "@sluice/runtime";
import fastify, { type FastifyInstance } from "fastify";
import { isHostAllowed } from "../admission/allowed-host.js";
import { addressKey, trustedPeers } from "../admission/client-address.js";
import type { DoorRules } from "../admission/door-rules.js";
import type { Places } from "../admission/places.js";
import { requestProblem } from "../admission/request-problem.js";
import type { GatewayTally } from "../gateway-tally.js";
import { readTlsFiles, type TlsFiles } from "../tls/tls-files.js";

/** A whole request, body included, must have arrived by then, ms. */
const requestMsMax = 60_000;
/** An idle kept-alive connection is closed after this, ms; longer than common proxies keep theirs. */
const keepAliveMs = 75_000;
/** How often the deadlines of heads and bodies are looked at, ms; seldom would end many late ones in one turn. */
const deadlineCheckMs = 100;
/** TCP connections that may wait to be accepted; Node's 511 makes a crowd that comes back wait for a second SYN. */
const listenBacklog = 4_096;
const paramLengthMax = 256 * 9;
const corsMaxAgeS = 600;
/** What a socket reads ahead for a reader that has stopped; the bound of a tunnel counts on it. */
const readAheadBytes = 16_384;
/** TCP connections beside those with a place: on their way to one, or idle between requests. */
const spareSockets = 1_000;
/** The same for one address: a connection past the limit can still be told so. */
const spareSocketsOfAddress = 16;

export interface GatewayHttpOptions {
  readonly settings: Settings;
  readonly places: Places;
  readonly tally: GatewayTally;
  readonly rules: () => DoorRules;
  readonly isDraining: () => boolean;
  /** Adds the routes of the public interface. */
  readonly routes: (app: FastifyInstance) => void;
  readonly opsRoutes: (app: FastifyInstance) => void;
}

export interface GatewayHttp {
  /** For the WebSocket upgrade. */
  readonly server: Server;
  readonly url: string;
  readonly opsUrl: string;
  listen(): Promise<void>;
  /** Takes over what the server itself holds of them; connections that are there stay. */
  setLimits(limits: Settings["gateway"]["limits"]): void;
  /**
   * Answers new TLS connections with what the files hold now.
   * @throws as {@link readTlsFiles}; the old ones stay in use then.
   */
  reloadTls(): void;
  /** Stops listening, and waits for requests until they are done or `signal` is aborted. */
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function tlsFilesOf({ gateway: { tls } }: Settings): TlsFiles | undefined {
  return tls.cert_file === null || tls.key_file === null
    ? undefined
    : { certFile: tls.cert_file, keyFile: tls.key_file };
}

function listener(handler: Handler, settings: Settings, files: TlsFiles | undefined): Server {
  const options = {
    highWaterMark: readAheadBytes,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: settings.gateway.tunnel.keepalive_ms,
    headersTimeout: settings.gateway.limits.handshake_ms,
    requestTimeout: requestMsMax,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: deadlineCheckMs,
  };
  if (files === undefined) return createPlainServer(options, handler);
  const { handshake_ms: handshakeTimeout } = settings.gateway.limits;
  const tls = { ...options, ...readTlsFiles(files), handshakeTimeout, ALPNProtocols: ["http/1.1"] };
  // Where TLS never began no answer gets through, and what waits to be written would keep the connection for good.
  return createTlsServer(tls, handler).on("tlsClientError", (_error, socket) => socket.destroy());
}

function createFastify(settings: Settings, files: TlsFiles | undefined): FastifyInstance {
  return fastify({
    logger: false,
    routerOptions: { maxParamLength: paramLengthMax },
    forceCloseConnections: true,
    // Who expects 100 hears it when the body is wanted (RFC 9110 §10.1.1), and not before the token was looked at.
    serverFactory: (handler) => listener(handler, settings, files).on("checkContinue", handler),
    ...problemServerOptions,
  });
}

function urlOf(app: FastifyInstance, scheme: string): string {
  const { address, family, port } = app.server.address() as AddressInfo;
  return `${scheme}://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

/** Form, host, origin, draining and capacity, before any route sees a request; health and metrics are beside it. */
function registerAdmission(app: FastifyInstance, options: GatewayHttpOptions): void {
  const { places, tally, rules, isDraining } = options;
  app.addHook("onRequest", async (request, reply) => {
    const { allowedHosts, allowedOrigins, clientAddress } = rules();
    const problem = requestProblem(request.raw);
    if (problem !== undefined) {
      tally.refused.add("malformed");
      return sendProblem(reply, problem);
    }
    if (!isHostAllowed(request.headers.host, allowedHosts)) {
      tally.refused.add("host");
      return sendProblem(reply, { name: "forbidden", detail: "This gateway does not go by that name", field: "Host" });
    }
    if (!isOriginAllowed(request.headers.origin, allowedOrigins)) {
      tally.refused.add("origin");
      return sendProblem(reply, { name: "forbidden", detail: "This origin may not connect", field: "Origin" });
    }
    if (isDraining()) {
      tally.refused.add("draining");
      const headers = { "retry-after": "1", connection: "close" };
      return sendProblem(reply, { name: "unavailable", detail: "The gateway is draining", headers });
    }
    const place = places.take(addressKey(clientAddress(request.raw)));
    if (typeof place === "string") {
      tally.refused.add("capacity");
      const name = place === "full" ? "overloaded" : "too-many-requests";
      return sendProblem(reply, { name, detail: "Too many connections", headers: { "retry-after": "1" } });
    }
    reply.raw.once("close", () => place.release());
  });
}

/**
 * Cuts TCP connections of one address past the limit: idle ones have no place, and would else take everybody's. Proxies
 * that are trusted speak for many and are not counted. 0 = unlimited.
 */
function limitSocketsByAddress(server: Server, socketsMax: () => number, trustedProxies: readonly string[]): void {
  const isTrusted = trustedPeers(trustedProxies);
  const counts = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const peer = socket.remoteAddress ?? "";
    if (isTrusted(peer)) return;
    const key = addressKey(peer);
    const count = (counts.get(key) ?? 0) + 1;
    const max = socketsMax();
    if (max > 0 && count > max + spareSocketsOfAddress) {
      socket.destroy();
      return;
    }
    counts.set(key, count);
    socket.once("close", () => {
      const left = (counts.get(key) ?? 1) - 1;
      if (left === 0) counts.delete(key);
      else counts.set(key, left);
    });
  });
}

export async function createGatewayHttp(options: GatewayHttpOptions): Promise<GatewayHttp> {
  const { settings } = options;
  const { host, port, ops_host: opsHost, ops_port: opsPort, limits } = settings.gateway;
  const files = tlsFilesOf(settings);
  const app = createFastify(settings, files);
  let socketsOfAddressMax = 0;
  const setLimits = (changed: Settings["gateway"]["limits"]): void => {
    app.server.maxConnections = changed.connections + spareSockets;
    app.server.headersTimeout = changed.handshake_ms;
    socketsOfAddressMax = changed.connections_per_address;
  };
  setLimits(limits);
  limitSocketsByAddress(app.server, () => socketsOfAddressMax, settings.gateway.trusted_proxies);
  registerProblemHandlers(app);
  await app.register(async (api) => {
    // Bodies are the backends' to read.
    api.removeAllContentTypeParsers();
    api.addContentTypeParser("*", (_request, _payload, done) => done(null));
    registerAdmission(api, options);
    // Bearer tokens only, so no credentials: a page's cookies are never looked at.
    await api.register(cors, {
      origin: async (origin?: string) => {
        const { allowedOrigins } = options.rules();
        if (allowedOrigins.includes("*")) return "*";
        return origin !== undefined && isOriginAllowed(origin, allowedOrigins) ? origin : false;
      },
      methods: ["GET", "POST", "PUT", "DELETE"],
      maxAge: corsMaxAgeS,
    });
    registerWebSocketPaths(api);
    options.routes(api);
  });
  const ops = opsPort === null ? app : createFastify(settings, undefined);
  if (ops !== app) registerProblemHandlers(ops);
  options.opsRoutes(ops);
  const servers = new Set([app.server, ops.server]);
  for (const server of servers) {
    boundPipelining(server);
    cutStalled(server);
  }

  return {
    server: app.server,
    get url() {
      return urlOf(app, files === undefined ? "http" : "https");
    },
    get opsUrl() {
      return urlOf(ops, files === undefined || ops !== app ? "http" : "https");
    },
    listen: async () => {
      for (const server of servers) restDeadlines(server);
      await app.listen({ host: listenHost(host), port, backlog: listenBacklog });
      if (opsPort !== null) await ops.listen({ host: listenHost(opsHost), port: opsPort });
    },
    setLimits,
    reloadTls: () => {
      if (files === undefined) return;
      const context = readTlsFiles(files);
      if ("setSecureContext" in app.server)
        (app.server as ReturnType<typeof createTlsServer>).setSecureContext(context);
    },
    close: async () => {
      await app.close();
      if (ops !== app) await ops.close();
    },
  };
}
