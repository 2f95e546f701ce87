// The WebSocket that the client gets on the command line: that of `ws`, which also tells what a refused handshake said.
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { describeRefusal, readRetryAfter } from "./problem-detail.js";

/** Longest handshake, and longest wait for a refusal's body, ms. */
const handshakeMaxMs = 10_000;
/** Largest frame that is taken, bytes: the largest event that a log takes, with room around it. */
const messageBytesMax = 32 * 1_048_576;
/** Most characters of a refusal's body that are looked at. */
const refusalLengthMax = 8_192;

/** A handshake that was answered with a status other than 101; the message is for people. */
class HandshakeRefusal extends Error {
  override readonly name = "HandshakeRefusal";
  readonly status: number;
  /** What `Retry-After` asks for, ms. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, retryAfterMs: number | undefined, body: string) {
    super(describeRefusal(status, parsed(body)));
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Fails with a `HandshakeRefusal` where the server refuses; bounded in time and bytes. */
export class NodeSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, {
      handshakeTimeout: handshakeMaxMs,
      maxPayload: messageBytesMax,
      perMessageDeflate: false,
    });
    this.on("unexpected-response", (_request, response) => void this.#refused(response));
  }

  async #refused(response: IncomingMessage): Promise<void> {
    const timer = setTimeout(() => response.destroy(), handshakeMaxMs);
    let body = "";
    try {
      for await (const chunk of response) {
        body += String(chunk);
        if (body.length > refusalLengthMax) break;
      }
    } catch {
      // The status alone says enough.
    }
    clearTimeout(timer);
    const retryAfterMs = readRetryAfter(response.headers["retry-after"]);
    this.emit("error", new HandshakeRefusal(response.statusCode ?? 0, retryAfterMs, body));
    this.terminate();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
