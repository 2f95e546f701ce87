// Requests that the gateway must not ask a backend in anybody's name, byte for byte, each with the clause that says so.
import { publisherToken } from "@sluice/testkit";

const authorization = `Authorization: Bearer ${publisherToken()}`;
const event = '{"event_type":"A","payload":1}';

export interface ForwardingCase {
  readonly name: string;
  /** Clause or reason. */
  readonly because: string;
  readonly text: string;
  readonly status: number;
}

type Row = readonly [name: string, because: string, text: string, status: number];

/** A publish of one event, with more headers. */
function post(lines: readonly string[]): string {
  const host = lines.some((line) => line.startsWith("Host")) ? [] : ["Host: a"];
  const head = ["POST /api/v1/events HTTP/1.1", ...host, authorization, ...lines];
  if (!lines.some((line) => line.startsWith("Transfer"))) head.push(`Content-Length: ${event.length}`);
  return `${head.join("\r\n")}\r\n\r\n${event}`;
}

function get(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: a\r\n${authorization}\r\n\r\n`;
}

const chunkedEvent = `${event.length.toString(16)}\r\n${event}\r\n0\r\n\r\n`;
const dots = "RFC 3986 §5.2.4: some reader takes it for a parent";

const rows: readonly Row[] = [
  ["two Hosts", "RFC 9112 §3.2", post(["Host: a", "Host: b"]), 400],
  ["the same Host twice", "RFC 9112 §3.2", post(["Host: a", "Host: a"]), 400],
  ["a Host with a path", "RFC 9112 §3.2", post(["Host: a/b"]), 400],
  ["a list of Hosts", "RFC 9112 §3.2", post(["Host: a, b"]), 400],
  ["two media types", "RFC 9110 §8.3", post(["Content-Type: application/json", "Content-Type: text/plain"]), 400],
  ["two idempotency keys", "one value, no third one of both", post(["Idempotency-Key: a", "Idempotency-Key: b"]), 400],
  ["two places to resume from", "one value, no third one of both", post(["Last-Event-ID: a", "Last-Event-ID: b"]), 400],
  ["two ids of a CloudEvent", "one value, no third one of both", post(["ce-id: a", "ce-id: b"]), 400],
  ["two tokens", "protocol §1", post(["Authorization: Bearer x"]), 401],
  ["a folded header", "RFC 9112 §5.2", post(["Accept: a\r\n b"]), 400],
  [
    "a length behind 2,100 headers",
    "Node forgets it, and the body with it",
    post(Array.from({ length: 2_100 }, () => "a:")),
    431,
  ],
  ["201 headers", "bounded", post(Array.from({ length: 198 }, (_, n) => `ce-x${n}: 1`)), 431],
  [
    "a coding that would have to be undone",
    "RFC 9112 §6.1",
    post(["Transfer-Encoding: gzip, chunked"]).replace(event, chunkedEvent),
    400,
  ],
  ["absolute form", "RFC 9112 §3.2.2: the host is not the path's to say", get("http://evil/api/v1/events"), 400],
  ["a fragment", "RFC 9112 §3.2.1", get("/api/v1/events#x"), 400],
  ["dots", dots, get("/api/v1/../metrics"), 400],
  ["escaped dots and slashes", dots, get("/api/v1/x%2f%2e%2e%2f..%2fmetrics"), 400],
  ["backslashes", dots, get("/api/v1/..\\..\\metrics"), 400],
  ["escaped backslashes", dots, get("/api/v1/..%5c..%5cmetrics"), 400],
  ["dots with a parameter", dots, get("/api/v1/..;/metrics"), 400],
  ["TRACE", "RFC 9110 §9.3.8", get("/api/v1/events").replace("GET", "TRACE"), 404],
  ["another expectation", "RFC 9110 §10.1.1", post(["Expect: 200-ok"]), 417],
];

export const forwardingCases: readonly ForwardingCase[] = rows.map(([name, because, text, status]) => ({
  name,
  because,
  text,
  status,
}));
