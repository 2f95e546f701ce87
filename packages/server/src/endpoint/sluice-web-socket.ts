// `ws`'s WebSocket, closing with the reasons of the one table.

import { closes, type CloseEntry } from "@sluice/protocol";
import { WebSocket } from "ws";

/** The entries that `ws` itself closes with: it knows the code only. */
const byCode = new Map<number, CloseEntry>(
  [closes.protocolError, closes.invalidUtf8, closes.messageTooBig].map((entry) => [entry.code, entry]),
);

export class SluiceWebSocket extends WebSocket {
  /** The code that this side closed with; undefined while it didn't. */
  closedWith: number | undefined;

  /** As `ws`; a code without a reason gets the table's. */
  override close(code?: number, reason?: string | Buffer): void {
    if (this.readyState === WebSocket.OPEN) this.closedWith ??= code;
    super.close(code, reason ?? (code === undefined ? undefined : byCode.get(code)?.reason));
  }
}
