// The echo as a server of its own, from its settings to its port and back to nothing.
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isLoopback, type Settings } from "@sluice/runtime";
import { EchoEndpoint } from "./endpoint/echo-endpoint.js";

/** A running echo. */
export interface EchoServer {
  /** Where it listens: `http://127.0.0.1:8081`. */
  readonly url: string;
  /** Cuts what is open and stops. */
  close(): Promise<void>;
}

/**
 * Starts the echo at `server.host` and `server.port`: every WebSocket message comes back as it came, for whoever asks.
 * @throws {Error} when the address can be reached from other machines; Node's errors when the port can't be taken.
 */
export async function createEchoServer({ server, limits }: Pick<Settings, "server" | "limits">): Promise<EchoServer> {
  if (!isLoopback(server.host)) throw new Error(`the echo listens on a loopback address only, not on ${server.host}`);
  const http = createHttpServer({ headersTimeout: limits.handshake_ms }, (request, response) => {
    response.writeHead(request.url === "/readyz" || request.url === "/livez" ? 200 : 404).end();
  });
  new EchoEndpoint({ messageBytesMax: limits.message_bytes, compression: server.compression }).attach(http);
  const sockets = new Set<{ destroy(): void }>();
  http.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen(server.port, server.host, () => {
      http.off("error", reject);
      resolve();
    });
  });
  const { address, family, port } = http.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
