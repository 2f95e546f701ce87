// Node looks at the deadlines of heads and bodies (`headersTimeout`, `requestTimeout`) at an interval for as long as a
// server listens: four times a second that is half of what an idle process does, on a virtual machine 0.08 % of a core.
// Seldom would end many late ones in one turn. So it looks while there is somebody to look at.
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import { timerMsMax } from "../clock.js";

/** The listener by which Node's server begins to look, and begins anew when it is called again. */
const beginName = "setupConnectionsTracking";

type Looking = { connectionsCheckingInterval?: number };

/**
 * Has a server look at its deadlines only while it has connections that speak HTTP, at the interval that it was made with
 * (`connectionsCheckingInterval`); those that were upgraded have no such deadlines. For when the server's own listeners
 * are there, before it listens. Node documents no way to begin and end it: where what it does itself isn't found, it looks
 * all the time.
 * @returns whether it was found
 */
export function restDeadlines(server: Server): boolean {
  const begin = server.listeners("listening").find(({ name }) => name === beginName);
  const looking = server as Looking;
  const periodMs = looking.connectionsCheckingInterval;
  if (begin === undefined || periodMs === undefined) return false;
  const sockets = new Set<Socket>();
  looking.connectionsCheckingInterval = timerMsMax;

  const lookEvery = (ms: number): void => {
    looking.connectionsCheckingInterval = ms;
    // One that has closed looks no more, whoever is still connected.
    if (server.listening) begin.call(server);
  };
  const goes = (socket: Socket): void => {
    if (sockets.delete(socket) && sockets.size === 0) lookEvery(timerMsMax);
  };
  // One function for all: of those that are upgraded there are thousands.
  function onClose(this: Socket): void {
    goes(this);
  }

  server.on(server instanceof TlsServer ? "secureConnection" : "connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", onClose);
    if (sockets.size === 1) lookEvery(periodMs);
  });
  // A listener for this one makes Node hand over every request that asks for an upgrade.
  if (server.listenerCount("upgrade") > 0) {
    server.prependListener("upgrade", (_request, socket: Socket) => {
      socket.off("close", onClose);
      goes(socket);
    });
  }
  return true;
}
