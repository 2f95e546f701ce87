// What a body that holds text has to be.
import type { Problem } from "@sluice/runtime";

/** The body is not UTF-8. */
export const notUtf8: Problem = { name: "malformed-body", detail: "The body is not UTF-8" };

const byteOrderMark = Buffer.from("\ufeff");

/** The body behind its byte order mark, with which some tools begin UTF-8; a reader may ignore it (RFC 8259 §8.1). */
export function withoutByteOrderMark(body: Buffer): Buffer {
  const isMarked = body.subarray(0, byteOrderMark.length).equals(byteOrderMark);
  return isMarked ? body.subarray(byteOrderMark.length) : body;
}
