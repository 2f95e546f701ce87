import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe } from "vitest";
import type { LogTraits } from "../contract/log-under-test.js";
import { hasNatsServer, startNatsServer, type NatsUnderTest } from "../contract/nats-under-test.js";
import { describeEventLog } from "../event-log-contract.js";
import { openJetStreamLog } from "./jetstream-log.js";

const traits: LogTraits = { time: "servers", countsIds: false, keepsNewest: false };
const place = { replicas: 1, storage: "file", publishRetryMs: 10_000 } as const;

describe.runIf(hasNatsServer)("with a nats-server", () => {
  let server: NatsUnderTest;
  let nats: NatsConnection;
  let streams = 0;

  beforeAll(async () => {
    server = await startNatsServer();
    nats = await server.connect();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  describeEventLog(
    "jetstream",
    (options) => {
      const stream = `LOG${(streams += 1)}`;
      return openJetStreamLog({ ...options, ...place, nats, stream, prefix: stream, retentionIntervalMs: 50 });
    },
    traits,
  );
});
