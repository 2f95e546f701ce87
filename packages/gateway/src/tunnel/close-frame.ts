// Close frames of the gateway's own (RFC 6455 §5.5.1). Those of the two sides are carried, never made anew.
import { randomBytes } from "node:crypto";
import type { CloseEntry } from "@sluice/protocol";

const finAndClose = 0x88;
const maskBit = 0x80;
const codeBytes = 2;
const maskBytes = 4;

/** Who reads the frame: what goes to a backend is masked (RFC 6455 §5.3), what goes to a client is not. */
export type CloseReader = "client" | "backend";

/** The bytes of a close frame; the reason must fit into a control frame, as those of the table of codes do. */
export function encodeCloseFrame({ code, reason }: Pick<CloseEntry, "code" | "reason">, reader: CloseReader): Buffer {
  const payload = Buffer.alloc(codeBytes + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, codeBytes);
  if (reader === "client") return Buffer.concat([Buffer.from([finAndClose, payload.length]), payload]);
  const mask = randomBytes(maskBytes);
  const masked = payload.map((byte, index) => byte ^ (mask[index % maskBytes] ?? 0));
  return Buffer.concat([Buffer.from([finAndClose, maskBit | payload.length]), mask, masked]);
}
