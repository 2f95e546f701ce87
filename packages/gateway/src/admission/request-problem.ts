// What a request must look like before a backend may be asked in its name: what two readers could understand differently is
// refused (RFC 9110, RFC 9112). The handshake of a WebSocket has its own, stricter list.
import type { IncomingMessage } from "node:http";
import { isHostAndPort, pathOf, type Problem } from "@sluice/runtime";

/** Node keeps the first 2,000 and forgets the others, a `Content-Length` among them; nobody needs a tenth of that. */
const headersMax = 200;
/** Of these one counts, and it must be clear which; most of them Node would join with a comma, which is a third value. */
const singleHeader = /^(?:host|content-type|idempotency-key|last-event-id|ce-.*)$/;
/** A segment of dots however it is written, or a backslash, which some readers take for a slash. */
const deviousPath = /(?:^|\/|%2f)(?:\.|%2e){1,2}(?:[/;]|%2f|$)|\\|%5c/i;

export type CheckedRequest = Pick<IncomingMessage, "url" | "headers" | "rawHeaders">;

/** What is wrong with a request; undefined when nothing is. A refusal ends the connection. */
export function requestProblem({ url, headers, rawHeaders }: CheckedRequest): Problem | undefined {
  if (rawHeaders.length > 2 * headersMax) {
    const detail = `A request may have ${headersMax} headers`;
    return { name: "headers-too-large", detail, headers: { connection: "close" } };
  }
  const path = pathOf(url);
  if (path === undefined || url?.includes("#") === true || deviousPath.test(path)) {
    return bad("The path is not well-formed");
  }
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const doubled = names.find((name, index) => names.indexOf(name) !== index && singleHeader.test(name));
  if (doubled !== undefined) return bad("The header must be given once", doubled);
  if (headers.host !== undefined && !isHostAndPort(headers.host)) return bad("Host must name one host", "Host");
  // RFC 9112 §6.1: another coding would have to be undone, or said to the backend.
  if ((headers["transfer-encoding"] ?? "chunked").toLowerCase() !== "chunked") {
    return bad("A body may be sent in chunks and in no other coding", "Transfer-Encoding");
  }
  return undefined;
}

function bad(detail: string, field?: string): Problem {
  return {
    name: "bad-request",
    detail,
    ...(field === undefined ? {} : { field }),
    headers: { connection: "close" },
  };
}
