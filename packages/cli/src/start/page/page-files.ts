// The files of the example page, as `@sluice/client` and `@sluice/protocol` bring them: read once, served from memory, so
// that no request names a file.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One file, ready to be sent. */
export interface PageFile {
  readonly mediaType: string;
  readonly body: Buffer;
}

/** Files by the path that a browser asks for. */
export type PageFiles = ReadonlyMap<string, PageFile>;

const mediaTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
};

/** Where browsers find what the page imports; its import map says the same. */
const modulePaths: Readonly<Record<string, string>> = {
  "@sluice/client": "/client/",
  "@sluice/protocol": "/protocol/",
};

/** Reads the page and the modules that it imports. @throws {Error} where a package is not built. */
export async function readPageFiles(): Promise<PageFiles> {
  const files = new Map<string, PageFile>();
  for (const [name, path] of Object.entries(modulePaths)) await addDirectory(files, path, directoryOf(name, "dist"));
  await addDirectory(files, "/", directoryOf("@sluice/client", "example"));
  const index = files.get("/index.html");
  if (index !== undefined) files.set("/", index);
  return files;
}

/** What a Content-Security-Policy has to allow of the page's inline scripts: its import map, by hash (CSP3 §8.5). */
export function inlineScriptHashes(html: string): readonly string[] {
  const scripts = html.matchAll(/<script type="importmap">([^<]*)<\/script>/g);
  return Array.from(scripts, ([, text = ""]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
}

/** A directory of a package, whose entry is one level below it. */
function directoryOf(name: string, directory: string): string {
  return fileURLToPath(new URL(`../${directory}`, import.meta.resolve(name)));
}

async function addDirectory(files: Map<string, PageFile>, path: string, directory: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    const mediaType = mediaTypes[extname(entry)];
    if (mediaType === undefined || entry.includes(".test.")) continue;
    files.set(path + entry, { mediaType, body: await readFile(join(directory, entry)) });
  }
}
