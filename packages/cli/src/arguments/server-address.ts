// Where the streaming service is, from `--url` or SLUICE_URL.
import { InvalidArgumentError } from "commander";

/** Where `sluice serve` listens when nothing is configured. */
export const defaultServerUrl = "http://127.0.0.1:8081";

const webSchemes: Readonly<Record<string, string>> = { "ws:": "http:", "wss:": "https:" };

/**
 * The base address of a service or gateway; `ws` and `wss` are taken for `http` and `https`, a path prefix is kept, the
 * paths of the protocol after it are cut off. A query, user or password is refused: tokens don't belong into a URL.
 */
export function serverAddress(text: string): URL {
  if (!URL.canParse(text)) throw new InvalidArgumentError("It must be a URL such as http://127.0.0.1:8081.");
  const url = new URL(text);
  if (url.protocol in webSchemes) url.protocol = webSchemes[url.protocol] ?? "";
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new InvalidArgumentError("It must begin with http://, https://, ws:// or wss://.");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new InvalidArgumentError("It must be without user, password, query and fragment; a token goes into --token.");
  }
  url.pathname = url.pathname.replace(/(?:\/(?:api\/v1(?:\/ws|\/events)?|ws))?\/*$/, "/");
  return url;
}

/** For people: without a slash at its end. */
export function showAddress(base: URL): string {
  return base.href.replace(/\/$/, "");
}
