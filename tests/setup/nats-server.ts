// A nats-server for all tests of the project `jetstream`.
import { NatsCluster } from "@sluice/testkit";

/** Starts it, names it to the tests, and returns what ends it. */
export default async function setup(): Promise<() => Promise<void>> {
  const nats = await NatsCluster.start(1);
  process.env["SLUICE_TEST_NATS"] = nats.urls[0];
  return () => nats[Symbol.asyncDispose]();
}
