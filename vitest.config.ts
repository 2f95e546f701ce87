import { spawnSync } from "node:child_process";
import { defineConfig } from "vitest/config";

// The packages' sources are tested, not their builds: the condition is the first of each package's exports.
const conditions = ["@sluice/source", "node", "import", "module", "default"];
const resolution = { resolve: { conditions }, ssr: { resolve: { conditions } } };

/** Lowest share of lines that a package's tests run, percent. */
const linesCovered = 90;

/** Without a nats-server (tools/install-nats.sh) the tests of what speaks to it are skipped, so its lines don't count. */
const needsNats = ["packages/server/src/log/jetstream/**", "packages/server/src/nodes/**"];
const hasNats = spawnSync("nats-server", ["--version"]).status === 0;

/** Where the closing count of `.ci/run` comes from; written in CI only. */
const resultsFile = "coverage/test-results.json";

/**
 * What gaps, replay, resuming and slow consumers come to has to be the same on every durable engine. All of it with
 * `SLUICE_ENGINES=all`, which takes minutes; `SLUICE_TEST_ENGINE=embedded` tries the same files on that one.
 */
const onEveryEngine = [
  "history",
  "lossless-kill",
  "publish-to-subscriber",
  "slow-consumer-gets-a-gap",
  "subscribe",
].map((name) => `tests/${name}.test.ts`);
const onJetStream = {
  ...resolution,
  test: {
    name: "jetstream",
    include: process.env.SLUICE_ENGINES === "all" ? onEveryEngine : ["tests/subscribe.test.ts"],
    globalSetup: ["tests/setup/nats-server.ts"],
    env: { SLUICE_TEST_ENGINE: "jetstream" },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    fileParallelism: false,
    sequence: { groupOrder: 2 },
  },
};

/** Each takes more than its share of CI's quarter of an hour: run when named, or all with `SLUICE_LONG=1`. */
const longFiles = [
  "client-faults",
  "cluster-survives-kills",
  "faults/backend-flap",
  "faults/clock-steps",
  "faults/peers",
  "faults/soak",
  "hostile/never-readers",
  "hostile/slow-loris",
].map((name) => `tests/${name}.test.ts`);
const areLongWanted = process.env.SLUICE_LONG === "1" || process.argv.some((word) => word.startsWith("tests/"));
const leftOut = areLongWanted ? [] : longFiles;

export default defineConfig({
  ...resolution,
  test: {
    reporters: process.env.CI ? ["default", ["json", { outputFile: resultsFile }]] : ["default"],
    projects: [
      {
        ...resolution,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.{ts,tsx}", "tools/**/*.test.mjs"],
          testTimeout: 20_000,
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real processes, some of them measured: one file at a time, after the unit tests.
        ...resolution,
        test: {
          name: "behaviours",
          include: ["tests/**/*.test.ts"],
          exclude: leftOut,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      ...(hasNats ? [onJetStream] : []),
    ],
    coverage: {
      provider: "v8",
      include: ["packages/{protocol,client,runtime,server,gateway}/src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/*-contract.ts", "**/contract/**", ...(hasNats ? [] : needsNats)],
      reporter: ["text-summary", "json-summary", "html"],
      reportsDirectory: "coverage",
      thresholds: {
        "packages/protocol/src/**": { lines: linesCovered },
        "packages/client/src/**": { lines: linesCovered },
        "packages/runtime/src/**": { lines: linesCovered },
        "packages/server/src/**": { lines: linesCovered },
        "packages/gateway/src/**": { lines: linesCovered },
      },
    },
  },
});
