// One measurement of a server that sends a stream to subscribers: what most cells do, each with its own options.

import { PinnedChild } from "./child.js";
import { pause, percentile, type Figures } from "./cell.js";
import { clientCore, startServer, type ContenderName } from "./contenders.js";
import type { LoadClientOptions, LoadReport } from "./load-client.js";
import type { ServerOptions, ServerReport } from "./server-report.js";
import { startLoad } from "./start-load.js";

const warmUpMsDefault = 1500;
/** Subscribed are all when nothing has come for so long, ms: answers to subscriptions, a peer's own greetings. */
const quietMs = 150;
const quietMsMax = 15_000;
/** Of so many deliveries one is looked at when they are without end, and when they come at a rate. */
const sampleEveryDefault = { saturated: 211, rate: 7 } as const;

export interface FanOutOptions {
  readonly server: ContenderName;
  readonly source: ServerOptions;
  readonly seconds: number;
  readonly warmUpMs?: number;
  /**
   * The native client, where there is one: for what would fill a client of Node. It sleeps more, and on a virtual machine
   * each write that wakes it costs the server some 4 µs more, so that it isn't the one to take elsewhere. Default false.
   */
  readonly isClientNative?: boolean;
  readonly load: Partial<LoadClientOptions> & Pick<LoadClientOptions, "connections">;
}

/** What both sides tell at one moment. */
export interface Reading {
  readonly server: ServerReport;
  readonly client: LoadReport;
  /** When the server told. */
  readonly atMs: number;
}

/** Both sides, started and connected. */
export interface Pair extends AsyncDisposable {
  readonly server: PinnedChild<ServerReport>;
  readonly client: PinnedChild<LoadReport>;
  /** What both tell as a measurement begins: latencies count from here on. */
  begin(): Promise<Reading>;
  read(): Promise<Reading>;
}

/** Starts a server and connects its subscribers. @throws when one of them can't; the other is ended then */
export async function startPair(options: FanOutOptions): Promise<Pair> {
  const server = startServer(options.server, options.source);
  const client = await openClient(server, options).catch(async (error: unknown) => {
    await server[Symbol.asyncDispose]();
    throw error;
  });
  const read = async (request: "begin" | "report"): Promise<Reading> => {
    // At once: what the client has to tell may take some 50 ms.
    const [clientReport, [serverReport, atMs]] = await Promise.all([
      client.ask(request),
      server.ask("report").then((report) => [report, performance.now()] as const),
    ]);
    return { server: serverReport, client: clientReport, atMs };
  };
  return {
    server,
    client,
    begin: () => read("begin"),
    read: () => read("report"),
    [Symbol.asyncDispose]: async () => {
      // One that has ended has said so to whoever measured.
      await server.ask("stop").catch(() => undefined);
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Connects the subscribers; resolves when all that they asked for has been answered. */
async function openClient(
  server: PinnedChild<ServerReport>,
  { server: name, source, load, isClientNative = false }: FanOutOptions,
): Promise<PinnedChild<LoadReport>> {
  const { port, path, headers, subscribe } = await server.next();
  const sampleEvery = sampleEveryDefault[source.perSecond === null ? "saturated" : "rate"];
  const options: LoadClientOptions = {
    port,
    path,
    headers: { ...headers, ...load.headers },
    subscribe: name === "sluice" ? (load.subscribe ?? subscribe) : subscribe,
    sampleEvery,
    ...withoutSubscribe(load),
  };
  const client = isClientNative
    ? startLoad(options, clientCore)
    : new PinnedChild<LoadReport>("load-client.js", options, clientCore);
  try {
    const { connected } = await client.next();
    if (connected !== load.connections) throw new Error(`${connected} of ${load.connections} connected`);
    await untilQuiet(client);
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}

/** Waits until all that was asked for has been answered, or what was published read. Nothing is published meanwhile. */
export async function untilQuiet(client: PinnedChild<LoadReport>): Promise<void> {
  let bytes = -1;
  for (const startMs = performance.now(); performance.now() - startMs < quietMsMax;) {
    const report = await client.ask("report");
    if (report.bytes === bytes) return;
    bytes = report.bytes;
    await pause(quietMs);
  }
  throw new Error(`the subscribers were not quiet within ${quietMsMax / 1000} s`);
}

function withoutSubscribe(load: FanOutOptions["load"]): Omit<FanOutOptions["load"], "subscribe" | "headers"> {
  const { subscribe: _subscribe, headers: _headers, ...rest } = load;
  return rest;
}

/** How much of its core each side took between two readings, percent. */
export function cpuPercents(before: Reading, after: Reading): Figures {
  return {
    serverCpuPercent: (100 * (after.server.cpuMs - before.server.cpuMs)) / (after.atMs - before.atMs),
    clientCpuPercent: (100 * (after.client.cpuMs - before.client.cpuMs)) / (after.client.atMs - before.client.atMs),
  };
}

/** What happened between two readings. */
export function figuresBetween(before: Reading, after: Reading): Figures {
  const elapsedS = (after.atMs - before.atMs) / 1000;
  const clientElapsedS = (after.client.atMs - before.client.atMs) / 1000;
  const frames = after.client.frames - before.client.frames;
  const { latenciesMs } = after.client;
  const serverCpuS = (after.server.cpuMs - before.server.cpuMs) / 1000;
  return {
    deliveriesPerS: frames / clientElapsedS,
    cpuSPerMillion: serverCpuS / (frames / 1e6),
    bytesPerDelivery: (after.client.bytes - before.client.bytes) / frames,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    gaps: after.client.gaps - before.client.gaps,
    missing: after.client.missing - before.client.missing,
    outOfOrder: after.client.outOfOrder - before.client.outOfOrder,
    silent: after.client.silent,
    closed: after.client.closed,
    publishedPerS: (after.server.published - before.server.published) / elapsedS,
    ...cpuPercents(before, after),
    rssMiB: after.server.rssBytes / 2 ** 20,
  };
}

/** Starts both sides, warms up, measures, ends both. */
export async function runFanOut(options: FanOutOptions): Promise<Figures> {
  await using pair = await startPair(options);
  await pair.server.ask("start");
  await pause(options.warmUpMs ?? warmUpMsDefault);
  const before = await pair.begin();
  await pause(options.seconds * 1000);
  const figures = figuresBetween(before, await pair.read());
  // A server that loses subscribers has less to do.
  if (figures["closed"] !== 0) throw new Error(`${figures["closed"]} of its connections were closed`);
  return figures;
}
