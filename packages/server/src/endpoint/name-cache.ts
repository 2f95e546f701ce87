// Names that were read lately, so that one that comes again and again is one string, made once.

/** Names kept, whole powers of two; each is a name of the protocol, 128 characters at most. */
const slots = 1024;

const names: string[] = Array.from({ length: slots }, () => "");

/** The ASCII text `bytes[start, end)` as a string. */
export function cachedName(bytes: Buffer, start: number, end: number): string {
  let hash = 0;
  for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
  const slot = (hash ^ (hash >>> 15)) & (slots - 1);
  const known = names[slot] as string;
  if (isText(known, bytes, start, end)) return known;
  const name = bytes.toString("latin1", start, end);
  names[slot] = name;
  return name;
}

function isText(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = start; at < end; at += 1) if (text.charCodeAt(at - start) !== bytes[at]) return false;
  return true;
}
