// Where a command has its token from. A file is read anew every time, since whoever wrote it may renew it.
import { readFile } from "node:fs/promises";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";
import { describeFileError } from "./file-error.js";

/** The options that name a token. */
export interface TokenOptions {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** Gives the token for each connection. */
export interface TokenSource {
  /** For people: `--token`, `SLUICE_TOKEN`, the file, or `no token`. */
  readonly name: string;
  /** Whether asking again may give another. */
  readonly renews: boolean;
  /**
   * The token as of now; undefined when there is none, which a service in development takes.
   * @throws {CliError} when the file can't be read or holds no token.
   */
  read(): Promise<string | undefined>;
}

/** What may stand in an `Authorization` header: RFC 6750 §2.1 `b64token`. */
const tokenGrammar = /^[A-Za-z0-9._~+/-]+=*$/;

/** `--token` before `--token-file` before SLUICE_TOKEN. */
export function tokenSource(options: TokenOptions, env: Readonly<Record<string, string | undefined>>): TokenSource {
  const { token, tokenFile } = options;
  if (token !== undefined && tokenFile !== undefined) {
    throw new CliError("--token and --token-file are both given; give one", { exitCode: exitCodes.usage });
  }
  if (token !== undefined) return fixed("--token", token);
  if (tokenFile !== undefined) return { name: tokenFile, renews: true, read: () => readTokenFile(tokenFile) };
  const fromEnv = env["SLUICE_TOKEN"];
  if (fromEnv !== undefined && fromEnv !== "") return fixed("SLUICE_TOKEN", fromEnv);
  return { name: "no token", renews: false, read: () => Promise.resolve(undefined) };
}

function fixed(name: string, text: string): TokenSource {
  const token = checked(name, text);
  return { name, renews: false, read: () => Promise.resolve(token) };
}

async function readTokenFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new CliError(`the token file ${path} ${describeFileError(error)}`, {
      exitCode: exitCodes.noInput,
      cause: error,
    });
  }
  return checked(path, text);
}

function checked(name: string, text: string): string {
  const token = text.trim();
  if (tokenGrammar.test(token)) return token;
  const problem = token === "" ? "is empty" : "is not a token (letters, digits and -._~+/ only)";
  throw new CliError(`the token of ${name} ${problem}`, { exitCode: exitCodes.usage });
}
