// A service of one process or of several, by `server.workers`.

import cluster from "node:cluster";
import { systemClock } from "@sluice/runtime";
import { createServer, type CreateServerOptions, type SluiceServer } from "./create-server.js";
import { createPublisher } from "./endpoint/publisher.js";
import { openLog } from "./open-log.js";
import { createServerMetrics } from "./server-metrics.js";
import { Fleet } from "./nodes/fleet.js";
import type { Channel } from "./nodes/link.js";
import { Member } from "./nodes/member.js";

/** Whether this process is a worker that another one of ours has started. */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/**
 * Starts the service; it listens when this resolves. With more than one of `server.workers` this process writes the log
 * and starts workers, each with this program and its arguments anew; there this function starts a worker.
 * @throws as {@link createServer}; {Error} when a worker could not start, after it has told why on its stderr.
 */
export function startService(options: CreateServerOptions): Promise<SluiceServer> {
  if (cluster.isWorker) return startWorker(options);
  return options.settings.server.workers === 1 ? createServer(options) : startFleet(options);
}

function startWorker(options: CreateServerOptions): Promise<SluiceServer> {
  const channel: Channel = {
    send: (message) => {
      if (process.connected) process.send?.(message, undefined, {}, () => {});
    },
    onMessage: (listener) => process.on("message", listener),
    // Node ends a worker whose primary has gone.
    onClose: () => {},
  };
  const leave = (): void => {
    options.logger.flush();
    process.exit(0);
  };
  return createServer({ ...options, member: new Member(channel, leave) });
}

async function startFleet({ settings, logger, clock = systemClock }: CreateServerOptions): Promise<SluiceServer> {
  const metrics = createServerMetrics();
  const log = await openLog({
    settings,
    clock,
    onError: (error) => logger.error({ err: error }, "a fault in the log harmed no append"),
    onCommit: metrics.observeCommit,
  });
  metrics.watchLog(log);
  logger.info({ engine: settings.log.engine, epoch: log.epoch, head: log.head, oldest: log.oldest }, "log open");
  // Events travel as they are, not as JSON.
  cluster.setupPrimary({ serialization: "advanced" });
  const { workers, drain_ms: drainMs } = settings.server;
  const fleet = new Fleet({ workers, log, logger, fork: () => cluster.fork(), readMetrics: metrics.read });
  const closeRest = async (): Promise<void> => {
    await log.close();
    metrics.close();
  };
  const urls = await fleet.start().catch(async (error: unknown) => {
    await closeRest();
    throw error;
  });
  const publisher = createPublisher({ log, limits: settings.limits, clock, meter: metrics.publishMeter });
  logger.info({ url: urls.url, ops_url: urls.opsUrl, workers }, "listening");
  let ending: Promise<void> | undefined;
  return {
    ...urls,
    publish: (events) => publisher.publish(events),
    drain: () => {
      ending ??= fleet.drain(drainMs).then(closeRest);
      return ending;
    },
    close: () => {
      ending ??= fleet.kill().then(closeRest);
      return ending;
    },
  };
}
