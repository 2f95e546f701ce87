// W3C Trace Context: a caller's trace is continued with a span of the gateway's own, or one begins here.
import type { IncomingHttpHeaders } from "node:http";
import { randomText } from "./random-text.js";

const shape = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;
const traceBytes = 16;
const spanBytes = 8;
/** Trace Context §3.3.1.1: what may be dropped is what is longer. */
const stateLengthMax = 512;

/** The headers for what is behind. `tracestate` goes on only with a `traceparent` that is well-formed. */
export function traceHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const { traceparent, tracestate } = headers;
  const match = typeof traceparent === "string" ? shape.exec(traceparent) : null;
  const span = randomText(spanBytes, "hex");
  if (match === null) return { traceparent: `00-${randomText(traceBytes, "hex")}-${span}-00` };
  const continued = { traceparent: `00-${match[1]}-${span}-${match[2]}` };
  const isKept = typeof tracestate === "string" && tracestate.length <= stateLengthMax;
  return isKept ? { ...continued, tracestate } : continued;
}
