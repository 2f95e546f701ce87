// The key of the page that `sluice start` serves: who has it may have a token. It stands in the fragment of the printed
// address, which browsers send to nobody, so that no other page and no other user of the machine gets one.
import { createHmac, timingSafeEqual } from "node:crypto";

/** 128 bits are enough where each guess is a request. */
const keyBytes = 16;

/** The key that belongs to a secret: the same as long as the secret is, and of no use for finding it. */
export function pageKey(secret: string): string {
  return createHmac("sha256", secret)
    .update("sluice example page")
    .digest()
    .subarray(0, keyBytes)
    .toString("base64url");
}

/** Whether `given` is the key, in a time that doesn't tell how much of it is right. */
export function isPageKey(given: string | undefined, key: string): boolean {
  const [ours, theirs] = [Buffer.from(key), Buffer.from(given ?? "")];
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}
