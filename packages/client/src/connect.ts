// The one call.
import { systemEnvironment } from "./environment.js";
import { type ConnectOptions, Sluice } from "./sluice.js";

/**
 * A client of the service at `url`. The connection is opened by the first subscription, and kept until `close()`: it
 * comes back by itself after whatever ended it, apart from what the close table says is final (protocol.md §7).
 * @throws {TypeError} for an address that is none, and where there is no WebSocket.
 */
export function connect(options: ConnectOptions): Sluice {
  return new Sluice(options, systemEnvironment);
}
