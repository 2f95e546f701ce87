import { defineConfig } from "vitest/config";

// The packages' sources are tested, not their builds: the condition is the first of each package's exports.
const conditions = ["@sluice/source", "node", "import", "module", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["tools/**/*.test.mjs", "packages/*/src/**/*.test.ts", "tests/**/*.test.ts"],
    testTimeout: 20_000,
    coverage: {
      provider: "v8",
      include: ["packages/{protocol,runtime,server}/src/**/*.ts"],
      exclude: ["**/*.test.ts"],
      reporter: ["text-summary", "json-summary", "html"],
    },
  },
});
