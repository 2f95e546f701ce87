// What stands for a token in memory, so that no cache holds one that could be used.
import { createHash } from "node:crypto";

/** SHA-256 of a token, base64. */
export function digestToken(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
