// What stands for a token in memory, so that no cache holds one that could be used.
import { hash } from "node:crypto";

/** SHA-256 of a token, base64. */
export function digestToken(token: string): string {
  return hash("sha256", token, "base64");
}
