// Names as tokens of a NATS subject: any name there is, on one token, so that the server can filter by it.
import { hash } from "node:crypto";

/** Longest token, bytes: two of them and a prefix stay far below the server's line of 4,096 (`max_control_line`). */
const tokenBytesMax = 1024;
/** Stands for an event without a cluster. No encoded name is this. */
const noName = "~";
const emptyName = "=";
const digestMark = "=~";

const plain = /^[A-Za-z0-9_:-]+$/;
const unsafeBytes = /[^A-Za-z0-9_:-]/g;

/**
 * The token of a name: itself where it is made of letters, digits, `_`, `:` and `-`; otherwise every other byte of its
 * UTF-8 as `=XX`. A name that would be over 1,024 bytes becomes `=~` and its SHA-256, which can't be read back.
 */
export function encodeToken(name: string | undefined): string {
  if (name === undefined) return noName;
  if (name === "") return emptyName;
  if (plain.test(name)) return name.length <= tokenBytesMax ? name : digestOf(name);
  const bytes = Buffer.from(name, "utf8").toString("latin1");
  const token = bytes.replace(unsafeBytes, (byte) => `=${hexOf(byte)}`);
  return token.length <= tokenBytesMax ? token : digestOf(name);
}

/** What a token stands for; `{ readable: false }` where it is a digest, and the name has to be had from elsewhere. */
export function decodeToken(
  token: string,
): { readonly readable: true; readonly name: string | undefined } | { readonly readable: false } {
  if (token === noName) return { readable: true, name: undefined };
  if (token === emptyName) return { readable: true, name: "" };
  if (token.startsWith(digestMark)) return { readable: false };
  if (!token.includes("=")) return { readable: true, name: token };
  const bytes = token.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return { readable: true, name: Buffer.from(bytes, "latin1").toString("utf8") };
}

function hexOf(byte: string): string {
  return byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
}

function digestOf(name: string): string {
  return digestMark + hash("sha256", name, "base64url");
}
