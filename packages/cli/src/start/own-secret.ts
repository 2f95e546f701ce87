// The secret of a trial: made once, kept for its owner alone.
import { randomBytes } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describeFileError } from "../arguments/file-error.js";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";

/** As long as the hash that it keys (RFC 7518 §3.2). */
const secretBytes = 32;
const ownerOnly = 0o600;
const ownerOnlyDirectory = 0o700;

/** Sees to it that the file holds a secret; one that is there is kept. @throws {CliError} when it can't be written. */
export async function ensureOwnSecret(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: ownerOnlyDirectory });
    if (!(await writeNew(path))) await chmod(path, ownerOnly);
  } catch (error) {
    throw new CliError(`${path} ${describeFileError(error)}`, { exitCode: exitCodes.failure, cause: error });
  }
}

/** @returns false where the file was there already. */
async function writeNew(path: string): Promise<boolean> {
  const secret = randomBytes(secretBytes).toString("base64url");
  try {
    await writeFile(path, `${secret}\n`, { flag: "wx", mode: ownerOnly });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
