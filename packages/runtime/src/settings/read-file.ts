// Settings from a YAML file, with the line of every value. The file is the operator's, but it is read as if it were not.
import { isUtf8 } from "node:buffer";
import { type Document, isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from "yaml";
import { settingKeys } from "./catalogue.js";
import { type Given, keyAt, unknownKey } from "./given.js";
import { fractionText, integerText } from "./parse-text.js";
import { filePath, type SettingProblem, type SettingSource, show } from "./problem.js";
import { isReadableByOthers, readBoundedFile } from "./read-bounded-file.js";

/** Largest configuration file, bytes. */
export const configBytesMax = 1_048_576;
/** Most times that an alias may be followed before the file is taken for a bomb. */
const aliasesMax = 100;

const sections: ReadonlySet<string> = new Set(
  settingKeys.flatMap(({ path }) => path.split(".").slice(0, -1).map((_, index, parts) => parts.slice(0, index + 1).join("."))),
);

/** What the file gives, and whether others can read it (a warning where it holds secrets). */
export interface GivenByFile extends Given {
  readonly readableByOthers: boolean;
}

/** Codes of the yaml package in words of ours: its own messages quote the file, which may hold secrets. */
const yamlProblems: Readonly<Record<string, string>> = {
  BAD_ALIAS: "refers to an anchor that doesn't exist",
  BAD_INDENT: "is indented wrongly",
  BLOCK_AS_IMPLICIT_KEY: "is indented wrongly",
  DUPLICATE_KEY: "has the same key twice",
  MISSING_CHAR: "lacks a character such as a colon, a quote or a bracket",
  MULTIPLE_DOCS: "holds more than one document",
  TAB_AS_INDENT: "is indented with tabs",
  TAG_RESOLVE_FAILED: "has a tag that is not known",
};

class FileReader {
  readonly given: Given = { values: [], problems: [] };
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #file: string;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#lines = new LineCounter();
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true, logLevel: "silent" });
  }

  read(): Given {
    const faults = [...this.#document.errors, ...this.#document.warnings];
    for (const { code, pos } of faults) {
      this.#refuse(filePath, yamlProblems[code] ?? `is not YAML (${code})`, "YAML 1.2", this.#at(pos[0]));
    }
    if (faults.length === 0) this.#readSection(this.#document.contents, "", this.#at(0));
    return this.given;
  }

  #at(offset: number | undefined): SettingSource {
    const line = offset === undefined ? 0 : this.#lines.linePos(offset).line;
    return { kind: "file", at: line === 0 ? this.#file : `${this.#file}:${line}` };
  }

  #refuse(path: string, problem: string, allowed: string, source: SettingSource): void {
    this.given.problems.push({ path, problem, allowed, source });
  }

  #resolve(node: Node | null): Node | null {
    return isAlias(node) ? (node.resolve(this.#document) ?? null) : node;
  }

  #readSection(unresolved: Node | null, path: string, source: SettingSource): void {
    const node = this.#resolve(unresolved);
    if (node === null || (isScalar(node) && node.value === null)) return;
    if (isMap<Node, Node | null>(node)) return this.#readEntries(node, path);
    this.#refuse(path === "" ? filePath : path, "is not a mapping", "keys with values below it", source);
  }

  #readEntries(map: YAMLMap<Node, Node | null>, prefix: string): void {
    for (const { key: keyNode, value } of map.items) {
      const source = this.#at(keyNode.range?.[0]);
      const name = isScalar(keyNode) ? String(keyNode.value) : "(not a word)";
      const path = prefix === "" ? name : `${prefix}.${name}`;
      const key = name.includes(".") ? undefined : keyAt(path);
      if (key !== undefined) {
        const read = this.#readValue(value, key.kind === "integer" ? integerText : fractionText);
        if (read.ok) this.given.values.push({ key, value: read.value, source });
        else this.#refuse(path, read.problem, key.allowed, source);
      } else if (!name.includes(".") && sections.has(path)) {
        this.#readSection(value, path, source);
      } else if (keyAt(path) !== undefined) {
        this.#refuse(path, "is written with dots", "one level of indentation for each part of the key", source);
      } else {
        this.given.problems.push(unknownKey(path, source));
      }
    }
  }

  #readValue(unresolved: Node | null, numberText: RegExp): { ok: true; value: unknown } | { ok: false; problem: string } {
    const node = this.#resolve(unresolved);
    if (node === null) return { ok: true, value: null };
    if (isScalar(node) && typeof node.value === "number" && !numberText.test(node.source ?? "")) {
      return { ok: false, problem: `is ${show(node.source).slice(1, -1)}` };
    }
    try {
      return { ok: true, value: node.toJS(this.#document, { maxAliasCount: aliasesMax }) as unknown };
    } catch {
      return { ok: false, problem: `follows more than ${aliasesMax} aliases, or one that leads nowhere` };
    }
  }
}

function refused(file: string, problem: string, allowed: string): GivenByFile {
  const problems: SettingProblem[] = [{ path: filePath, problem, allowed, source: { kind: "file", at: file } }];
  return { values: [], problems, readableByOthers: false };
}

/** Reads a file of at most 1 MiB that holds one YAML 1.2 mapping, or nothing. */
export function readFile(file: string): GivenByFile {
  const read = readBoundedFile(file, configBytesMax);
  if (!read.ok) return refused(file, read.reason, `a readable file of up to ${configBytesMax} bytes`);
  if (!isUtf8(read.bytes)) return refused(file, "is not UTF-8", "YAML 1.2 in UTF-8");
  try {
    const given = new FileReader(file, read.bytes.toString("utf8")).read();
    return { ...given, readableByOthers: isReadableByOthers(read.mode) };
  } catch (error) {
    // The parser recurses; a file of nothing but brackets exhausts the stack.
    if (error instanceof RangeError) return refused(file, "is nested too deeply", "YAML 1.2");
    throw error;
  }
}
