// Bun's own publish: one call an event, its topics do the rest. No log, no authentication. Run by Bun.
import { envelope, EventSource } from "../dist/event-source.js";
import { usage } from "../dist/server-report.js";

/** Past this in a client's buffer the saturating publisher waits for it, bytes. */
const bufferedMax = 1024 * 1024;
/** Of 16 to 1,024 events a turn the one with the most deliveries: a tenth more than with 64. */
const saturatedBatch = 128;

const options = JSON.parse(process.argv[2] ?? "{}");
const clients = new Set();
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("", { status: 400 })),
  websocket: {
    perMessageDeflate: options.deflate === true,
    idleTimeout: 0,
    open: (client) => {
      clients.add(client);
      client.subscribe("events");
    },
    close: (client) => clients.delete(client),
    message: () => {},
  },
});

function isFull() {
  for (const client of clients) if (client.getBufferedAmount() > bufferedMax) return true;
  return false;
}

const source = new EventSource({
  source: options,
  saturatedBatch,
  publish: (events) => {
    for (const event of events) server.publish("events", envelope(event));
  },
  isFull,
});

function report(isIdle = false) {
  if (isIdle) Bun.gc(true);
  const { published } = source;
  process.send({ port: server.port, path: "/", headers: {}, subscribe: null, published, ...usage() });
}

process.on("message", (message) => {
  source.obey(message);
  report(message === "idle");
});
process.on("disconnect", () => process.exit(0));
report();
