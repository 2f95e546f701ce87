// The file of the shared secret.
import { isReadableByOthers, readBoundedFile } from "./read-bounded-file.js";
import { hs256SecretBytesMin, secretBytesMax } from "./sections/auth-settings.js";

/** The secret, or why there is none; never with the path, which someone may have confused with the secret. */
export type SecretRead =
  | { readonly ok: true; readonly secret: string; readonly readableByOthers: boolean }
  | { readonly ok: false; readonly problem: string; readonly allowed: string };

const allowed = `a readable file with a secret of ${hs256SecretBytesMin} to ${secretBytesMax} bytes, 32 or more to be safe (RFC 7518 §3.2)`;
/** Room for white space around the secret. */
const fileBytesMax = 2 * secretBytesMax;

/** Reads a secret without the white space around it, most often a line end. */
export function readSecretFile(path: string): SecretRead {
  const read = readBoundedFile(path, fileBytesMax);
  if (!read.ok) return { ok: false, problem: `names a file that ${read.reason}`, allowed };
  const secret = read.bytes.toString("utf8").trim();
  const bytes = Buffer.byteLength(secret);
  if (bytes < hs256SecretBytesMin || bytes > secretBytesMax) {
    return { ok: false, problem: `names a file with a secret of ${bytes} bytes`, allowed };
  }
  return { ok: true, secret, readableByOthers: isReadableByOthers(read.mode) };
}
