// Random programs against an oracle (contract/expected-stream.ts): whatever happens to a connection, its stream is in
// order, complete up to gaps that say so, and true about itself.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { program } from "./contract/delivery-program.js";
import { runProgram } from "./contract/program-run.js";

/** `SLUICE_MODEL_RUNS` for a long search. */
const runs = Number(process.env.SLUICE_MODEL_RUNS ?? 2000);
/** A run takes about 7 ms, more where the machine is shared. */
const msPerRunMax = 100;

describe("delivery against its model", () => {
  it(`holds in ${runs} random programs`, { timeout: 60_000 + runs * msPerRunMax }, async () => {
    expect(await fc.assert(fc.asyncProperty(program, runProgram), { numRuns: runs })).toBeUndefined();
  });
});
