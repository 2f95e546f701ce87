// How much is fuzzed, and from which seed: printed, so that what was found can be found again. `SLUICE_FUZZ_RUNS` for the
// length of a night, `SLUICE_FUZZ_SEED` to go back.
import type { Parameters } from "fast-check";

const runsGiven = process.env["SLUICE_FUZZ_RUNS"];
const seedGiven = process.env["SLUICE_FUZZ_SEED"];

/** Time that one property may take, ms: a night's is not bounded. */
export const fuzzMs = runsGiven === undefined ? 120_000 : 24 * 3_600_000;

/** For fast-check; prints the seed. */
export function fuzzing(what: string, runs: number): Parameters<unknown> {
  const seed = seedGiven === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(seedGiven);
  const numRuns = runsGiven === undefined ? runs : Number(runsGiven);
  process.stdout.write(`fuzzing ${what}: SLUICE_FUZZ_SEED=${seed}, ${numRuns} runs\n`);
  return { seed, numRuns, endOnFailure: false };
}
