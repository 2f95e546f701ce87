// The last line of defence against tokens in what people read: finds what looks like one and takes it out. The first is
// that nobody hands a token to a logger, and that a logger takes only named fields (`safe-fields.ts`).

/** What stands where a token was. */
export const scrubbed = "[redacted]";

const words = "token|ticket|secret|password|authorization|cookie";

/**
 * What every shape below has in it: one search that almost every text passes untouched. A JWT starts with `eyJ`, which
 * is base64url of `{"`.
 */
const hint = new RegExp(`eyJ|bearer|authorization:|(?:${words})\\\\*["=]|//[^/\\s]*@`, "i");

/**
 * No replacement takes in or leaves behind half of a backslash escape, and none holds a quote, so JSON stays JSON
 * whether it is scrubbed as a whole or is itself a string in JSON.
 */
const shapes: readonly (readonly [RegExp, string])[] = [
  // Compact JWS or JWE, also one that was cut off (RFC 7515 §3.1, RFC 7516 §3.1).
  [/eyJ[\w-]{4,}(?:\.[\w-]*){0,4}/g, scrubbed],
  // Kubernetes' subprotocol with a token in it (protocol.md §1).
  [/(base64url\.bearer\.authorization\.k8s\.io\.)[\w=-]+/gi, `$1${scrubbed}`],
  // RFC 6750 §2.1, and the subprotocol `bearer, <token>`.
  [/(bearer\s*[ ,:]\s*)[\w.~+/=-]+/gi, `$1${scrubbed}`],
  // A header as text, whatever its scheme (RFC 9110 §11.6.2).
  [/(authorization:\s*\w+\s+)[^\s"'\\]+/gi, `$1${scrubbed}`],
  // Queries and forms: `token=`, `access_token=`, `ticket=`, `client_secret=`, `password=`.
  [new RegExp(`((?:${words})=)[^&\\s"'#\\\\]+`, "gi"), `$1${scrubbed}`],
  // JSON members: `"token":"…"`, `"proxy-authorization":"…"`, also in a string within JSON.
  [new RegExp(`((?:${words})\\\\*"\\s*:\\s*\\\\*")(?:[^"\\\\]|\\\\+[^"\\\\])+`, "gi"), `$1${scrubbed}`],
  // Credentials in a URL (RFC 3986 §3.2.1).
  [/(\/\/)[^/\s"'@\\]+@/g, `$1${scrubbed}@`],
];

/** `text` without anything that looks like a token; `text` itself when there is nothing, which is the fast case. */
export function scrub(text: string): string {
  if (!hint.test(text)) return text;
  return shapes.reduce((clean, [shape, replacement]) => clean.replace(shape, replacement), text);
}
