// A refused handshake is answered with HTTP and the connection ended: nothing that follows on it is read.

import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { problemTypes } from "@sluice/protocol";
import { encodeProblem, problemMediaType, type Problem } from "./problem.js";

/** Answers the upgrade with the problem and closes. */
export function refuseUpgrade(socket: Duplex, problem: Problem): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = encodeProblem(problem);
  const { status } = problemTypes[problem.name];
  const headers = {
    connection: "close",
    "content-type": problemMediaType,
    "content-length": String(Buffer.byteLength(body)),
    ...problem.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
}
