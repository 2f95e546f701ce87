// Which engine the services of a test use when it does not say: so that one behaviour is tried on several.
import { hash } from "node:crypto";
import type { SettingsOverrides } from "@sluice/runtime";

/** Engine, from `SLUICE_TEST_ENGINE`; undefined where none is asked for. */
const engine = process.env["SLUICE_TEST_ENGINE"] as "embedded" | "jetstream" | "memory" | undefined;
/** Server of the engine `jetstream`, from `SLUICE_TEST_NATS`. */
const natsUrl = process.env["SLUICE_TEST_NATS"];

/**
 * Settings of the log in `dir`, beside what a test gives: on `jetstream` a stream of its own, the same for the same
 * directory, so that a service that is started there again finds what it had.
 */
export function testLogSettings(
  dir: string,
  engineDefault: "embedded" | "memory",
): Required<Pick<SettingsOverrides, "log" | "nats">> {
  if (engine !== "jetstream") return { log: { engine: engine ?? engineDefault, dir }, nats: {} };
  if (natsUrl === undefined) throw new Error("SLUICE_TEST_ENGINE=jetstream needs SLUICE_TEST_NATS");
  const name = `T${hash("sha256", dir, "hex").slice(0, 16)}`;
  return { log: { engine, dir }, nats: { servers: [natsUrl], replicas: 1, stream: name, prefix: name } };
}
