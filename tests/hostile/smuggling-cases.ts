// Requests whose end two readers could see in different places (RFC 9112 §11.2), byte for byte. Behind each stands a
// second request; whoever answers that one has been fooled.
import { publisherToken } from "@sluice/testkit";

const authorization = `Authorization: Bearer ${publisherToken()}`;
/** The path of the hidden request. */
export const hiddenPath = "/api/v1/hidden";
const hidden = `GET ${hiddenPath} HTTP/1.1\r\nHost: a\r\n${authorization}\r\n\r\n`;
const event = '{"event_type":"A","payload":1}';

export interface SmuggleCase {
  readonly name: string;
  /** Clause or reason. */
  readonly because: string;
  readonly bytes: Buffer;
}

function post(lines: readonly string[], body: string): Buffer {
  const head = ["POST /api/v1/events HTTP/1.1", "Host: a", authorization, "Content-Type: application/json", ...lines];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`, "latin1");
}

const chunk = (text: string, size = text.length.toString(16)): string => `${size}\r\n${text}\r\n`;
const chunked = "Transfer-Encoding: chunked";
/** Chunks that end at once, and the hidden request where the length says that there is body. */
const endThenHidden = `0\r\n\r\n${hidden}`;

type Row = readonly [name: string, because: string, bytes: Buffer];
const rows: readonly Row[] = [
  [
    "a length and chunks",
    "RFC 9112 §6.1, §6.3-3",
    post([`Content-Length: ${endThenHidden.length}`, chunked], endThenHidden),
  ],
  [
    "chunks and a length",
    "RFC 9112 §6.1, §6.3-3",
    post([chunked, `Content-Length: ${endThenHidden.length}`], endThenHidden),
  ],
  ["chunks and a length of 0", "RFC 9112 §6.1", post([chunked, "Content-Length: 0"], chunk(event) + endThenHidden)],
  [
    "two lengths",
    "RFC 9112 §6.3-5",
    post([`Content-Length: ${event.length}`, `Content-Length: ${event.length + hidden.length}`], event + hidden),
  ],
  [
    "the same length twice",
    "RFC 9112 §6.3-5: refused to be sure",
    post([`Content-Length: ${event.length}`, `Content-Length: ${event.length}`], event + hidden),
  ],
  ["a list of lengths", "RFC 9112 §6.3-5", post([`Content-Length: ${event.length}, ${event.length}`], event + hidden)],
  ["a length with a plus", "RFC 9110 §8.6", post([`Content-Length: +${event.length}`], event + hidden)],
  ["a length below 0", "RFC 9110 §8.6", post(["Content-Length: -1"], event + hidden)],
  ["a length in hexadecimal", "RFC 9110 §8.6", post(["Content-Length: 0x1e"], event + hidden)],
  ["a length with a blank within", "RFC 9110 §8.6", post(["Content-Length: 3 0"], event + hidden)],
  ["a length past 2^64", "RFC 9110 §8.6", post(["Content-Length: 99999999999999999999999"], event + hidden)],
  ["an empty length", "RFC 9110 §8.6", post(["Content-Length:"], event + hidden)],
  ["a blank before the colon of a length", "RFC 9112 §5.1", post([`Content-Length : ${event.length}`], event + hidden)],
  ["a blank before the colon of a coding", "RFC 9112 §5.1", post(["Transfer-Encoding : chunked"], endThenHidden)],
  ["an unknown coding", "RFC 9112 §6.1", post(["Transfer-Encoding: xchunked"], endThenHidden)],
  ["chunked not last", "RFC 9112 §6.3-4", post(["Transfer-Encoding: chunked, identity"], endThenHidden)],
  ["chunked twice", "RFC 9112 §6.1", post(["Transfer-Encoding: chunked, chunked"], endThenHidden)],
  ["two codings, the last unknown", "RFC 9112 §6.3-4", post([chunked, "Transfer-Encoding: cow"], endThenHidden)],
  ["a coding with a vertical tab", "RFC 9110 §5.5", post(["Transfer-Encoding: \x0bchunked"], endThenHidden)],
  ["a coding with NUL", "RFC 9110 §5.5", post(["Transfer-Encoding: chunked\0"], endThenHidden)],
  ["a coding in quotes", "RFC 9112 §6.1", post(['Transfer-Encoding: "chunked"'], endThenHidden)],
  ["a folded coding", "RFC 9112 §5.2", post(["Transfer-Encoding:\r\n chunked"], endThenHidden)],
  [
    "a length behind a bare LF",
    "RFC 9112 §2.2",
    post([`X: y\nContent-Length: ${event.length}`, chunked], endThenHidden),
  ],
  [
    "a length behind a bare CR",
    "RFC 9112 §2.2",
    post([`X: y\rContent-Length: ${event.length}`, chunked], endThenHidden),
  ],
  [
    "a chunk size with 0x",
    "RFC 9112 §7.1",
    post([chunked], chunk(event, `0x${event.length.toString(16)}`) + endThenHidden),
  ],
  ["a chunk size below 0", "RFC 9112 §7.1", post([chunked], chunk(event, "-1") + endThenHidden)],
  ["a chunk size past 2^64", "RFC 9112 §7.1", post([chunked], chunk(event, "10000000000000000001e") + endThenHidden)],
  ["a chunk size with a blank before it", "RFC 9112 §7.1", post([chunked], chunk(event, " 1e") + endThenHidden)],
  [
    "a chunk size that ends in LF alone",
    "RFC 9112 §7.1, strictly",
    post([chunked], `1e\n${event}\r\n${endThenHidden}`),
  ],
  ["a chunk that ends in LF alone", "RFC 9112 §7.1, strictly", post([chunked], `1e\r\n${event}\n${endThenHidden}`)],
  ["a chunk longer than its size", "RFC 9112 §7.1", post([chunked], `5\r\n${event}\r\n${endThenHidden}`)],
  ["a chunk extension with a bare LF", "RFC 9112 §7.1.1", post([chunked], `1e;a\nb\r\n${event}\r\n${endThenHidden}`)],
  ["a last chunk that ends in LF alone", "RFC 9112 §7.1, strictly", post([chunked], `${chunk(event)}0\n\n${hidden}`)],
  ["a trailer with a bad name", "RFC 9112 §7.1.2", post([chunked], `${chunk(event)}0\r\nX Y: z\r\n\r\n${hidden}`)],
  ["an upgrade with a length", "protocol §1", upgrade([`Content-Length: ${hidden.length}`])],
  ["an upgrade with chunks", "protocol §1", upgrade([chunked])],
  [
    "an upgrade of another version",
    "RFC 6455 §4.2.2: a refusal ends the connection",
    upgrade(["Sec-WebSocket-Version: 8"]),
  ],
  [
    "an upgrade without a token",
    "protocol §1: a refusal ends the connection",
    Buffer.from(upgrade(["Sec-WebSocket-Version: 13"]).toString().replace(`${authorization}\r\n`, "")),
  ],
  [
    "an upgrade to h2c",
    "RFC 9113 §3.1: not taken",
    Buffer.from(
      `GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n${hidden}`,
    ),
  ],
];

function upgrade(lines: readonly string[]): Buffer {
  const head = [
    "GET /ws HTTP/1.1",
    "Host: a",
    authorization,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  return Buffer.from(`${[...head, ...lines].join("\r\n")}\r\n\r\n${hidden}`);
}

export const smuggleCases: readonly SmuggleCase[] = rows.map(([name, because, bytes]) => ({ name, because, bytes }));
