// WebSocket backends that are not ours: an echo, and one that answers a handshake with whatever a test wants.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { WebSocketServer, type ServerOptions, type WebSocket } from "ws";

/** A backend and what it saw. */
export interface Backend extends AsyncDisposable {
  readonly url: string;
  /** Handshakes that reached it. */
  readonly handshakes: readonly IncomingMessage[];
  /** Connections that are open. */
  readonly clients: ReadonlySet<WebSocket>;
  /** Cuts every connection with a reset and stops listening: what a killed process looks like. */
  kill(): void;
}

export interface EchoBackendOptions {
  readonly options?: ServerOptions;
  readonly port?: number;
  /** In place of the echo. */
  readonly onConnection?: (webSocket: WebSocket) => void;
  /** Requests that are no handshake; default 404. */
  readonly onRequest?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Starts a WebSocket server that sends every message back as it came. */
export async function startEchoBackend(options: EchoBackendOptions = {}): Promise<Backend> {
  const handshakes: IncomingMessage[] = [];
  const http = createServer(options.onRequest ?? ((_request, response) => response.writeHead(404).end()));
  const webSockets = new WebSocketServer({ server: http, perMessageDeflate: false, ...options.options });
  const sockets = new Set<Socket>();
  http.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  webSockets.on("connection", (webSocket, request) => {
    handshakes.push(request);
    webSocket.on("error", () => {});
    if (options.onConnection !== undefined) return options.onConnection(webSocket);
    webSocket.on("message", (data, isBinary) => webSocket.send(data as Buffer, { binary: isBinary, compress: true }));
  });
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, "127.0.0.1", resolve));
  const kill = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
    http.close();
  };
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    handshakes,
    clients: webSockets.clients,
    kill,
    [Symbol.asyncDispose]: async () => {
      kill();
      webSockets.close();
    },
  };
}

/** A TCP server that a test speaks for, byte by byte. */
export interface RawBackend extends AsyncDisposable {
  readonly url: string;
  /** Heads of requests that reached it, without health checks. */
  readonly heads: readonly string[];
  readonly sockets: ReadonlySet<Socket>;
}

const headEnd = "\r\n\r\n";

/** The `Sec-WebSocket-Accept` for the key in a request's head. */
export function acceptOf(head: string): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? "";
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** The answer of a server that agrees to a handshake. */
export function acceptingHead(head: string, more: readonly string[] = []): string {
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  return [...lines, `Sec-WebSocket-Accept: ${acceptOf(head)}`, ...more, "", ""].join("\r\n");
}

/** Starts one; `speak` is called with every handshake's head. Health checks are answered with 404. */
export async function startRawBackend(speak: (socket: Socket, head: string) => void): Promise<RawBackend> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let text = "";
    const read = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      if (!text.includes(headEnd)) return;
      if (text.startsWith("GET /readyz ")) {
        text = "";
        socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      socket.off("data", read);
      heads.push(text);
      speak(socket, text);
    };
    socket.on("data", read);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heads,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
