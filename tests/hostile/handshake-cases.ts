// Handshakes that must not be answered with 101, byte for byte, each with the clause that forbids it.
import { mint, upgradeRequest, type UpgradeLines } from "@sluice/testkit";

/** One handshake. */
export interface HandshakeCase {
  readonly name: string;
  /** Clause or reason. */
  readonly because: string;
  readonly bytes: Buffer;
  /** Statuses that are right; 0 = the connection is ended without an answer. */
  readonly status: readonly number[];
}

const key = "dGhlIHNhbXBsZSBub25jZQ==";
const token = mint({ sub: "handshaker" });
const bad = [400];
/** Bytes that are no HTTP may be answered, or just cut off. */
const badOrCut = [400, 0];

const good = upgradeRequest({ token });

function lines(given: UpgradeLines): Buffer {
  return Buffer.from(upgradeRequest({ token, ...given }), "latin1");
}

/** The good handshake with one piece of its text replaced. */
function edited(from: string | RegExp, to: string): Buffer {
  const text = good.replace(from, () => to);
  if (text === good) throw new Error(`the handshake has no ${String(from)}`);
  return Buffer.from(text, "latin1");
}

type Row = readonly [name: string, because: string, bytes: Buffer, status: readonly number[]];

const page = `GET /api/v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`;
const unanswered = "RFC 9112 §9.3.2: its answer would stand among the frames";
const place: readonly Row[] = [
  ["its place behind a request that is not answered yet", unanswered, Buffer.from(page + good), [0]],
  ["its place behind many of them", unanswered, Buffer.from(page.repeat(40) + good), [0]],
];

const host: readonly Row[] = [
  ["no Host", "RFC 9112 §3.2, RFC 6455 §4.2.1-2", lines({ headers: { Host: null } }), bad],
  ["two Hosts", "RFC 9112 §3.2", lines({ headers: { Host: ["a.example", "b.example"] } }), bad],
  ["the same Host twice", "RFC 9112 §3.2", lines({ headers: { Host: ["localhost", "localhost"] } }), bad],
  ["an empty Host", "RFC 9110 §4.2.1, §7.2", lines({ headers: { Host: "" } }), bad],
  ["a Host with a blank", "RFC 9112 §3.2", lines({ headers: { Host: "a b" } }), bad],
  ["a Host with a path", "RFC 9112 §3.2", lines({ headers: { Host: "localhost/ws" } }), bad],
  ["a Host with a user", "RFC 9112 §3.2", lines({ headers: { Host: "user@localhost" } }), bad],
  ["a list of Hosts", "RFC 9112 §3.2", lines({ headers: { Host: "a.example, b.example" } }), bad],
  ["a Host with a port that is none", "RFC 3986 §3.2.3", lines({ headers: { Host: "localhost:http" } }), bad],
  ["a second Host behind 2,100 headers", "RFC 9112 §3.2", manyHeaders(2100, "Host: evil.example"), [400, 431]],
];

const requestLine: readonly Row[] = [
  ["HTTP/1.0", "RFC 6455 §4.2.1-1", lines({ requestLine: "GET /ws HTTP/1.0" }), bad],
  ["HTTP/2.0", "RFC 6455 §4.2.1-1", lines({ requestLine: "GET /ws HTTP/2.0" }), badOrCut],
  ["HTTP/1.2", "RFC 6455 §4.2.1-1", lines({ requestLine: "GET /ws HTTP/1.2" }), badOrCut],
  ["HTTP/0.9", "RFC 6455 §4.2.1-1", lines({ requestLine: "GET /ws HTTP/0.9" }), badOrCut],
  ["no version", "RFC 9112 §3", lines({ requestLine: "GET /ws" }), badOrCut],
  ["a lower-case version", "RFC 9112 §2.3", lines({ requestLine: "GET /ws http/1.1" }), badOrCut],
  ["a word behind the version", "RFC 9112 §3", lines({ requestLine: "GET /ws HTTP/1.1 x" }), badOrCut],
  ["a target in absolute form", "RFC 6455 §4.2.1-1", lines({ requestLine: "GET http://localhost/ws HTTP/1.1" }), bad],
  ["a target of ws:", "RFC 6455 §4.2.1-1", lines({ requestLine: "GET ws://localhost/ws HTTP/1.1" }), badOrCut],
  ["a target elsewhere", "RFC 9112 §3.2.2", lines({ requestLine: "GET http://internal.example/ws HTTP/1.1" }), bad],
  ["the target *", "RFC 9112 §3.2.4", lines({ requestLine: "GET * HTTP/1.1" }), badOrCut],
  ["an authority for a target", "RFC 9112 §3.2.3", lines({ requestLine: "GET localhost:80 HTTP/1.1" }), badOrCut],
  ["no target", "RFC 9112 §3", lines({ requestLine: "GET  HTTP/1.1" }), badOrCut],
  ["a fragment in the target", "RFC 6455 §3", lines({ requestLine: "GET /ws?a=b#frag HTTP/1.1" }), badOrCut],
  ["a blank in the target", "RFC 9112 §3.2", lines({ requestLine: "GET /ws a HTTP/1.1" }), badOrCut],
  ["a tab in the target", "RFC 9112 §3.2", lines({ requestLine: "GET /ws\t HTTP/1.1" }), badOrCut],
  ["NUL in the target", "RFC 3986 §2", lines({ requestLine: "GET /ws?\0 HTTP/1.1" }), badOrCut],
  ["DEL in the target", "RFC 3986 §2", lines({ requestLine: "GET /ws?\x7f HTTP/1.1" }), badOrCut],
  ["a byte over 127 in the target", "RFC 3986 §2", lines({ requestLine: "GET /ws?\xe9 HTTP/1.1" }), badOrCut],
  ["CR in the target", "RFC 9112 §2.2", lines({ requestLine: "GET /ws\rX: y HTTP/1.1" }), badOrCut],
  ["POST", "RFC 6455 §4.2.1-1", lines({ requestLine: "POST /ws HTTP/1.1" }), [405]],
  ["HEAD", "RFC 6455 §4.2.1-1", lines({ requestLine: "HEAD /ws HTTP/1.1" }), [405]],
  ["OPTIONS", "RFC 6455 §4.2.1-1", lines({ requestLine: "OPTIONS /ws HTTP/1.1" }), [405]],
  ["CONNECT", "RFC 9110 §9.3.6", lines({ requestLine: "CONNECT localhost:80 HTTP/1.1" }), [400, 405, 0]],
  ["get", "RFC 9110 §9.1", lines({ requestLine: "get /ws HTTP/1.1" }), badOrCut],
  ["a method that isn't", "RFC 9110 §9.1", lines({ requestLine: "GETS /ws HTTP/1.1" }), badOrCut],
  ["a blank before the method", "RFC 9112 §3", lines({ requestLine: " GET /ws HTTP/1.1" }), badOrCut],
  ["another path", "RFC 6455 §4.2.1-1", lines({ requestLine: "GET /admin HTTP/1.1" }), [404]],
  ["a longer path", "RFC 6455 §4.2.1-1", lines({ requestLine: "GET /ws/ HTTP/1.1" }), [404]],
  ["an escaped path", "one spelling", lines({ requestLine: "GET /%77s HTTP/1.1" }), [404]],
  ["a path with dots", "RFC 3986 §5.2.4", lines({ requestLine: "GET /x/../ws HTTP/1.1" }), [404]],
  ["a path with two slashes", "one spelling", lines({ requestLine: "GET //ws HTTP/1.1" }), [404]],
  ["a path of 20 KiB", "bounded", lines({ requestLine: `GET /${"x".repeat(20_000)} HTTP/1.1` }), [431, 414, 400]],
];

const upgrade: readonly Row[] = [
  ["no Upgrade", "RFC 6455 §4.2.1-3", lines({ headers: { Upgrade: null } }), [400, 426]],
  ["an empty Upgrade", "RFC 6455 §4.2.1-3", lines({ headers: { Upgrade: "" } }), [400, 426]],
  ["Upgrade: h2c", "RFC 6455 §4.2.1-3", lines({ headers: { Upgrade: "h2c" } }), [400, 426]],
  ["Upgrade: websockets", "RFC 6455 §4.2.1-3", lines({ headers: { Upgrade: "websockets" } }), [400, 426]],
  ["Upgrade: websocket/13", "RFC 6455 §4.2.1-3", lines({ headers: { Upgrade: "websocket/13" } }), [400, 426]],
  ["no Connection", "RFC 6455 §4.2.1-4", lines({ headers: { Connection: null } }), [400, 426]],
  ["Connection: keep-alive", "RFC 6455 §4.2.1-4", lines({ headers: { Connection: "keep-alive" } }), [400, 426]],
  ["Connection: close", "RFC 6455 §4.2.1-4", lines({ headers: { Connection: "close" } }), [400, 426]],
  ["Connection: upgraded", "RFC 6455 §4.2.1-4", lines({ headers: { Connection: "upgraded" } }), [400, 426]],
];

const keyAndVersion: readonly Row[] = [
  ["no key", "RFC 6455 §4.2.1-5", lines({ headers: { "Sec-WebSocket-Key": null } }), bad],
  ["an empty key", "RFC 6455 §4.2.1-5", lines({ headers: { "Sec-WebSocket-Key": "" } }), bad],
  ["a key of 15 bytes", "RFC 6455 §4.2.1-5", lines({ headers: { "Sec-WebSocket-Key": base64(15) } }), bad],
  ["a key of 17 bytes", "RFC 6455 §4.2.1-5", lines({ headers: { "Sec-WebSocket-Key": base64(17) } }), bad],
  ["a key of 64 bytes", "RFC 6455 §4.2.1-5", lines({ headers: { "Sec-WebSocket-Key": base64(64) } }), bad],
  ["a key without padding", "RFC 6455 §4.2.1-5", lines({ headers: { "Sec-WebSocket-Key": key.slice(0, 22) } }), bad],
  ["a key in base64url", "RFC 4648 §4", lines({ headers: { "Sec-WebSocket-Key": `${"-_".repeat(11)}==` } }), bad],
  ["a key that is no base64", "RFC 4648 §4", lines({ headers: { "Sec-WebSocket-Key": `${"!".repeat(22)}==` } }), bad],
  ["two keys", "RFC 6455 §11.3.1", lines({ headers: { "Sec-WebSocket-Key": [key, key] } }), bad],
  ["a list of keys", "RFC 6455 §11.3.1", lines({ headers: { "Sec-WebSocket-Key": `${key}, ${key}` } }), bad],
  ["no version", "RFC 6455 §4.2.1-6", lines({ headers: { "Sec-WebSocket-Version": null } }), [426]],
  ["an empty version", "RFC 6455 §4.2.1-6", lines({ headers: { "Sec-WebSocket-Version": "" } }), [426]],
  ["version 8", "RFC 6455 §4.2.2-4", lines({ headers: { "Sec-WebSocket-Version": "8" } }), [426]],
  ["version 14", "RFC 6455 §4.2.2-4", lines({ headers: { "Sec-WebSocket-Version": "14" } }), [426]],
  ["version 013", "RFC 6455 §4.3", lines({ headers: { "Sec-WebSocket-Version": "013" } }), [426]],
  ["version 13.0", "RFC 6455 §4.3", lines({ headers: { "Sec-WebSocket-Version": "13.0" } }), [426]],
  ["version 777", "RFC 6455 §4.3", lines({ headers: { "Sec-WebSocket-Version": "777" } }), [426]],
  ["a list of versions", "RFC 6455 §11.3.5", lines({ headers: { "Sec-WebSocket-Version": "13, 8" } }), [426]],
  ["two versions", "RFC 6455 §11.3.5", lines({ headers: { "Sec-WebSocket-Version": ["13", "13"] } }), [400, 426]],
];

const offers: readonly Row[] = [
  ["an empty subprotocol", "RFC 6455 §11.3.4", lines({ headers: { "Sec-WebSocket-Protocol": "" } }), bad],
  ["a subprotocol with a blank", "RFC 6455 §4.1-10", lines({ headers: { "Sec-WebSocket-Protocol": "a b" } }), bad],
  ["a subprotocol with a slash", "RFC 6455 §4.1-10", lines({ headers: { "Sec-WebSocket-Protocol": "a/b" } }), bad],
  ["a subprotocol twice", "RFC 6455 §4.1-10", lines({ headers: { "Sec-WebSocket-Protocol": "a, a" } }), bad],
  ["a subprotocol list with a hole", "RFC 6455 §4.3", lines({ headers: { "Sec-WebSocket-Protocol": "a,,b" } }), bad],
  ["an extension list of commas", "RFC 6455 §9.1", lines({ headers: { "Sec-WebSocket-Extensions": ",," } }), bad],
  ["an extension of semicolons", "RFC 6455 §9.1", lines({ headers: { "Sec-WebSocket-Extensions": "x;;" } }), bad],
  [
    "an extension parameter without value",
    "RFC 6455 §9.1",
    lines({ headers: { "Sec-WebSocket-Extensions": "x;a=" } }),
    bad,
  ],
  ["an unclosed quote", "RFC 6455 §9.1", lines({ headers: { "Sec-WebSocket-Extensions": 'x; a="b' } }), bad],
  [
    "a quoted value that is no token",
    "RFC 6455 §9.1",
    lines({ headers: { "Sec-WebSocket-Extensions": 'x; a="b c"' } }),
    bad,
  ],
];

const bodies: readonly Row[] = [
  ["Content-Length: 0", "a body has no meaning here", lines({ headers: { "Content-Length": "0" } }), bad],
  ["Content-Length: 5", "a body has no meaning here", behind({ "Content-Length": "5" }, "hello"), bad],
  ["Content-Length: -1", "RFC 9110 §8.6", lines({ headers: { "Content-Length": "-1" } }), badOrCut],
  ["Content-Length: 1e3", "RFC 9110 §8.6", lines({ headers: { "Content-Length": "1e3" } }), badOrCut],
  ["two lengths", "RFC 9112 §6.3", lines({ headers: { "Content-Length": ["5", "6"] } }), badOrCut],
  ["a chunked body", "RFC 9112 §6", behind({ "Transfer-Encoding": "chunked" }, "0\r\n\r\n"), bad],
  ["an unknown coding", "RFC 9112 §6.1", lines({ headers: { "Transfer-Encoding": "xchunked" } }), badOrCut],
  [
    "both a length and chunks",
    "RFC 9112 §6.1",
    lines({ headers: { "Content-Length": "5", "Transfer-Encoding": "chunked" } }),
    badOrCut,
  ],
  [
    "Expect: 100-continue with a body",
    "RFC 9110 §10.1.1",
    behind({ Expect: "100-continue", "Content-Length": "5" }, ""),
    [400, 417],
  ],
];

const lexical: readonly Row[] = [
  ["a blank before a colon", "RFC 9112 §5.1", edited("Upgrade: websocket", "Upgrade : websocket"), badOrCut],
  ["a folded line", "RFC 9112 §5.2", edited("Upgrade: websocket", "Upgrade: \r\n websocket"), badOrCut],
  ["a folded value", "RFC 9112 §5.2", edited("Host: localhost", "Host: local\r\n host"), badOrCut],
  [
    "a line without a colon",
    "RFC 9112 §5",
    edited("Upgrade: websocket\r\n", "Upgrade: websocket\r\nwhatever\r\n"),
    badOrCut,
  ],
  [
    "a header without a name",
    "RFC 9112 §5",
    edited("Upgrade: websocket\r\n", "Upgrade: websocket\r\n: x\r\n"),
    badOrCut,
  ],
  ["a name with a bracket", "RFC 9110 §5.1", lines({ headers: { "X(Y)": "z" } }), badOrCut],
  ["a blank before the first header", "RFC 9112 §2.2", edited("\r\nHost", "\r\n Host"), badOrCut],
  ["NUL in a name", "RFC 9110 §5.1", lines({ headers: { "X\0Y": "z" } }), badOrCut],
  ["NUL in a value", "RFC 9110 §5.5", lines({ headers: { "X-Y": "a\0b" } }), badOrCut],
  ["CR in a value", "RFC 9112 §2.2", lines({ headers: { "X-Y": "a\rb" } }), badOrCut],
  ["LF in a value", "RFC 9112 §2.2", lines({ headers: { "X-Y": "a\nb" } }), badOrCut],
  ["a control character in a value", "RFC 9110 §5.5", lines({ headers: { "X-Y": "a\x01b" } }), badOrCut],
  ["CR without LF behind each line", "RFC 9112 §2.2", Buffer.from(good.replaceAll("\r\n", "\r")), badOrCut],
  ["LF without CR behind each line", "RFC 9112 §2.2, strictly", Buffer.from(good.replaceAll("\r\n", "\n")), badOrCut],
  [
    "LF without CR behind one line",
    "RFC 9112 §2.2, strictly",
    edited("Upgrade: websocket\r\n", "Upgrade: websocket\n"),
    badOrCut,
  ],
  ["headers of 20 KiB", "bounded", lines({ headers: { "X-Large": "x".repeat(20_000) } }), [431]],
  ["10,000 headers", "bounded", manyHeaders(10_000, "X: y"), [431]],
];

const strangers: readonly Row[] = [
  ["the preface of HTTP/2", "RFC 9113 §3.4", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), badOrCut],
  ["a TLS ClientHello", "not HTTP", Buffer.from("1603010200010001fc0303", "hex"), badOrCut],
  ["an SSH banner", "not HTTP", Buffer.from("SSH-2.0-OpenSSH_9.6\r\n"), badOrCut],
  ["SOCKS 5", "not HTTP", Buffer.from([5, 1, 0, 13, 10]), badOrCut],
  ["the PROXY protocol", "not configured", Buffer.from(`PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n${good}`), badOrCut],
  ["frames without a handshake", "RFC 6455 §4.2", Buffer.from("818512345678736658161d", "hex"), badOrCut],
  ["zeros", "not HTTP", Buffer.alloc(4096), badOrCut],
];

const withOrigin = (origin: string | readonly string[]): Buffer => lines({ headers: { Origin: origin } });
const origins: readonly Row[] = [
  ["a foreign Origin", "RFC 6455 §10.2", withOrigin("https://evil.example"), [403]],
  ["Origin: null", "RFC 6454 §7.3", withOrigin("null"), [403]],
  ["an empty Origin", "RFC 6454 §7.1", withOrigin(""), [400, 403]],
  ["the Origin with http", "RFC 6454 §4", withOrigin("http://app.example"), [403]],
  ["the Origin with a port", "RFC 6454 §4", withOrigin("https://app.example:444"), [403]],
  ["a longer name", "RFC 6454 §4", withOrigin("https://app.example.evil.example"), [403]],
  ["a name that ends alike", "RFC 6454 §4", withOrigin("https://evilapp.example"), [403]],
  ["the Origin with a path", "RFC 6454 §7", withOrigin("https://app.example/x"), [400, 403]],
  ["the Origin with a user", "RFC 6454 §7", withOrigin("https://app.example@evil.example"), [400, 403]],
  ["two Origins", "RFC 6454 §7.3", withOrigin(["https://app.example", "https://evil.example"]), [400, 403]],
  [
    "two Origins, the good one last",
    "RFC 6454 §7.3",
    withOrigin(["https://evil.example", "https://app.example"]),
    [400, 403],
  ],
  ["a list of Origins", "RFC 6454 §7.3", withOrigin("https://app.example https://evil.example"), [400, 403]],
];

const credentials: readonly Row[] = [
  ["no token", "protocol §1", lines({ headers: { Authorization: null } }), [401]],
  ["a cookie alone", "never cookies", lines({ headers: { Authorization: null, Cookie: `token=${token}` } }), [401]],
  ["Basic", "RFC 6750 §2.1", lines({ headers: { Authorization: "Basic YWxpY2U6c2VjcmV0" } }), [401]],
  [
    "two Authorizations",
    "protocol §1",
    lines({ headers: { Authorization: [`Bearer ${token}`, `Bearer ${token}`] } }),
    [401],
  ],
  [
    "a list of tokens",
    "RFC 6750 §2.1",
    lines({ headers: { Authorization: `Bearer ${token}, Bearer ${token}` } }),
    [401],
  ],
  ["a token twice", "protocol §1", lines({ requestLine: `GET /ws?token=${token} HTTP/1.1` }), [401]],
  [
    "a token in X-Forwarded-Authorization",
    "protocol §1",
    lines({ headers: { Authorization: null, "X-Forwarded-Authorization": `Bearer ${token}` } }),
    [401],
  ],
  [
    "who it says it is",
    "never believed",
    lines({ headers: { Authorization: null, "X-User": "admin", "X-Remote-User": "admin" } }),
    [401],
  ],
  ["an empty bearer", "RFC 6750 §2.1", lines({ headers: { Authorization: "Bearer " } }), [401]],
  [
    "a bearer with a tab within",
    "RFC 6750 §2.1",
    lines({ headers: { Authorization: `Bearer ${token.slice(0, 9)}\t${token.slice(9)}` } }),
    [401],
  ],
];

const options: readonly Row[] = [
  ["an unknown policy", "protocol §1", lines({ requestLine: "GET /ws?policy=keep HTTP/1.1" }), bad],
  ["two policies", "protocol §1", lines({ requestLine: "GET /ws?policy=replay&policy=disconnect HTTP/1.1" }), bad],
  ["a policy of the prototype", "protocol §1", lines({ requestLine: "GET /ws?policy=__proto__ HTTP/1.1" }), bad],
  ["a buffer below 0", "protocol §1", lines({ requestLine: "GET /ws?max_messages=-1 HTTP/1.1" }), bad],
  ["a buffer of 1e999", "protocol §1", lines({ requestLine: "GET /ws?max_messages=1e999 HTTP/1.1" }), bad],
  ["a buffer in hexadecimal", "protocol §1", lines({ requestLine: "GET /ws?max_messages=0x10 HTTP/1.1" }), bad],
];

function base64(bytes: number): string {
  return Buffer.alloc(bytes, 7).toString("base64");
}

function behind(headers: Record<string, string>, body: string): Buffer {
  return Buffer.concat([lines({ headers }), Buffer.from(body)]);
}

/** The good handshake with many small headers and then one more line. */
function manyHeaders(count: number, last: string): Buffer {
  return Buffer.from(good.replace(/\r\n\r\n$/, `\r\n${"a:\r\n".repeat(count)}${last}\r\n\r\n`));
}

/** The only Origin of a web page that these cases allow. */
export const allowedOrigin = "https://app.example";

const groups: readonly (readonly [string, readonly Row[]])[] = [
  ["its place", place],
  ["Host", host],
  ["the request line", requestLine],
  ["Upgrade and Connection", upgrade],
  ["key and version", keyAndVersion],
  ["subprotocols and extensions", offers],
  ["a body", bodies],
  ["its letters", lexical],
  ["no handshake at all", strangers],
  ["Origin", origins],
  ["who it is", credentials],
  ["options", options],
];

/** All of them, by what is wrong. */
export const refusedHandshakes: readonly (readonly [string, readonly HandshakeCase[]])[] = groups.map(
  ([group, rows]) => [group, rows.map(([name, because, bytes, status]) => ({ name, because, bytes, status }))],
);

/** Handshakes that are odd and right. */
export const acceptedHandshakes: readonly (readonly [name: string, because: string, bytes: Buffer])[] = [
  ["as usual", "RFC 6455 §1.2", lines({})],
  [
    "names and values in any case",
    "RFC 9110 §5.1",
    Buffer.from(
      good.replace("Upgrade: websocket", "uPGRADE: WebSocket").replace("Connection: Upgrade", "CONNECTION: uPGRADE"),
    ),
  ],
  ["blanks around values", "RFC 9110 §5.5", edited("Upgrade: websocket", "Upgrade:\t websocket \t")],
  ["Connection with more words", "RFC 6455 §4.2.1-4", lines({ headers: { Connection: "keep-alive, Upgrade" } })],
  ["Connection in two headers", "RFC 9110 §5.3", lines({ headers: { Connection: ["keep-alive", "Upgrade"] } })],
  ["Host with a port", "RFC 9110 §7.2", lines({ headers: { Host: "localhost:8080" } })],
  ["Host of IPv6", "RFC 3986 §3.2.2", lines({ headers: { Host: "[::1]:8080" } })],
  ["empty lines before it", "RFC 9112 §2.2", Buffer.from(`\r\n\r\n${good}`)],
  ["the allowed Origin", "RFC 6455 §10.2", withOrigin(allowedOrigin)],
  [
    "an extension nobody knows",
    "RFC 6455 §9.1",
    lines({ headers: { "Sec-WebSocket-Extensions": 'x-foo; a="b"; c, x-bar' } }),
  ],
  [
    "a window that can't be",
    "RFC 7692 §7.1",
    lines({ headers: { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=99" } }),
  ],
  [
    "a parameter of deflate nobody knows",
    "RFC 7692 §7",
    lines({ headers: { "Sec-WebSocket-Extensions": "permessage-deflate; level=9" } }),
  ],
  ["subprotocols nobody knows", "RFC 6455 §4.2.2", lines({ headers: { "Sec-WebSocket-Protocol": "chat, superchat" } })],
  ["an unknown header", "RFC 9110 §5.1", lines({ headers: { "X-Anything": "goes" } })],
  ["/api/v1/ws", "protocol §1", lines({ requestLine: "GET /api/v1/ws HTTP/1.1" })],
];
