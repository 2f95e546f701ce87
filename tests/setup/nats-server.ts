// A nats-server for all tests of the project `jetstream`.
import { NatsCluster } from "@sluice/testkit";

let nats: NatsCluster | undefined;

/** Starts it and names it to the tests. */
export async function setup(): Promise<void> {
  nats = await NatsCluster.start(1);
  process.env["SLUICE_TEST_NATS"] = nats.urls[0];
}

/** Ends it. */
export async function teardown(): Promise<void> {
  await nats?.[Symbol.asyncDispose]();
}
