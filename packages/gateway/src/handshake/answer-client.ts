// The client's handshake answered, once there is something to connect it to, or a close that it can read (protocol §1).
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { CloseEntry } from "@sluice/protocol";
import { offeredSubprotocols, selectSubprotocol } from "@sluice/runtime";
import { encodeCloseFrame } from "../tunnel/close-frame.js";
import { acceptFor } from "./websocket-accept.js";

/** What was agreed with the backend, and so is with the client. */
export interface Agreed {
  readonly subprotocol?: string | undefined;
  /** As the backend wrote it. */
  readonly extensions?: string | undefined;
}

/** Sends 101. The bare `bearer` is answered where nothing else was agreed: a browser fails an offer left unanswered. */
export function acceptClient(request: IncomingMessage, socket: Socket, { subprotocol, extensions }: Agreed): void {
  const answered =
    subprotocol ?? selectSubprotocol(offeredSubprotocols(request.headers).filter((item) => item === "bearer"));
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptFor(request.headers["sec-websocket-key"] ?? "")}`,
    ...(answered === undefined ? [] : [`Sec-WebSocket-Protocol: ${answered}`]),
    ...(extensions === undefined ? [] : [`Sec-WebSocket-Extensions: ${extensions}`]),
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
}

/**
 * Completes the handshake and closes at once, for whoever can't read a refused one. What the client still sends is read
 * and dropped, so that no reset overtakes the close; after `lingerMs` the socket is cut. `farewell` gives frames that go
 * before the close, for the subprotocol that was agreed on.
 */
export function closeAfterHandshake(
  request: IncomingMessage,
  socket: Socket,
  entry: CloseEntry,
  lingerMs: number,
  farewell?: (subprotocol: string | undefined) => Buffer | undefined,
): void {
  const subprotocol = selectSubprotocol(offeredSubprotocols(request.headers));
  acceptClient(request, socket, { subprotocol });
  const said = farewell?.(subprotocol);
  if (said !== undefined) socket.write(said);
  socket.end(encodeCloseFrame(entry, "client"));
  socket.resume();
  const deadline = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(deadline));
  socket.once("end", () => socket.destroySoon());
}
