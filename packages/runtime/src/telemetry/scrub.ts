// The last line of defence against tokens in what people read: finds what looks like one and takes it out.
// The first line is that nobody hands tokens to a logger; see `request-serializer.ts`.

/** What stands where a token was. */
export const scrubbed = "[redacted]";

/**
 * What every token shape has in it, so that one cheap search lets almost all strings through untouched: a JWT starts
 * with `eyJ` (base64url of `{"`), the rest is announced by a word.
 */
const hint = /eyJ|bearer|token=|ticket=|secret=|password=|\/\/[^/\s]*@/i;

const shapes: readonly [RegExp, string][] = [
  // Compact JWS or JWE, also a cut-off one (RFC 7515 §3.1, RFC 7516 §3.1).
  [/eyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,4}/g, scrubbed],
  // RFC 6750 §2.1, and Kubernetes' subprotocol that carries one (protocol.md §1).
  [/\b(bearer\s*[ ,:]\s*)[A-Za-z0-9._~+/=-]+/gi, `$1${scrubbed}`],
  [/(base64url\.bearer\.authorization\.k8s\.io\.)[A-Za-z0-9_=-]+/gi, `$1${scrubbed}`],
  // Query strings and forms: `token=`, `access_token=`, `ticket=`, `client_secret=`, `password=`.
  [/((?:token|ticket|secret|password)=)[^&\s"'#]+/gi, `$1${scrubbed}`],
  // Credentials in a URL (RFC 3986 §3.2.1).
  [/(\/\/)[^/\s"'@]+@/g, `$1${scrubbed}@`],
];

/** `text` without anything that looks like a token; `text` itself when there is none, which is the fast case. */
export function scrub(text: string): string {
  if (!hint.test(text)) return text;
  let clean = text;
  for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement);
  return clean;
}
