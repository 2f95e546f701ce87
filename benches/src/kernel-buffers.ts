// What the kernel keeps of a TCP connection whose reader doesn't read (tcp(7)).

import { readFileSync } from "node:fs";

/** Linux's own, where nothing can be read: 4 MiB for what is sent, 128 KiB for what has come. */
const usual = { sent: 4 * 1024 * 1024, come: 128 * 1024 } as const;

/** One of the three numbers of a setting: least, default, most. */
function numberOf(setting: string, index: number, otherwise: number): number {
  try {
    const fields = readFileSync(`/proc/sys/net/ipv4/${setting}`, "latin1").trim().split(/\s+/);
    return Number(fields[index] ?? otherwise);
  } catch {
    return otherwise;
  }
}

/** Bytes for each connection: as much as may be sent, and what a receiver begins with, as it grows only when it reads. */
export function kernelBufferBytes(): number {
  return numberOf("tcp_wmem", 2, usual.sent) + numberOf("tcp_rmem", 1, usual.come);
}
