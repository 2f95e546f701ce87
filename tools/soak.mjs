// The long form of tests/faults/soak.test.ts: half an hour with 2,000 clients. `npm run soak`; SLUICE_SOAK_MINUTES and
// SLUICE_SOAK_CLIENTS change it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { env, execPath, exit } from "node:process";
import { fileURLToPath } from "node:url";

const withSetup = fileURLToPath(new URL("with-setup.mjs", import.meta.url));
const soak = spawn(execPath, [withSetup, "test", join("tests", "faults", "soak.test.ts")], {
  stdio: "inherit",
  env: { SLUICE_SOAK_MINUTES: "30", SLUICE_SOAK_CLIENTS: "2000", ...env },
});
soak.once("close", (code) => exit(code ?? 1));
