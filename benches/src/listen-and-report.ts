import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { EventSource } from "./event-source.js";
import { usage, type ServerReport } from "./server-report.js";

/**
 * Has a peer's server listen on a free loopback port, obey the bench that started it, and end with it. Its clients
 * get every event at `/` without asking.
 */
export function listenAndReport(http: Server, source: EventSource): void {
  const report = (isIdle = false): void => {
    const { port } = http.address() as AddressInfo;
    const { published } = source;
    const message: ServerReport = { port, path: "/", headers: {}, subscribe: null, published, ...usage(isIdle) };
    process.send?.(message);
  };
  process.on("message", (message) => {
    source.obey(message);
    report(message === "idle");
  });
  process.on("disconnect", () => process.exit(0));
  http.listen(0, "127.0.0.1", () => report());
}
