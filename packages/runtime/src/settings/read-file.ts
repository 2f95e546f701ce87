// Settings from a YAML file, with the line of every value. The file is the operator's, but it is read as if it were not.
import { isUtf8 } from "node:buffer";
import { type Document, isAlias, isMap, isScalar, type Node, type YAMLMap } from "yaml";
import { type SettingKey, settingKeys, settingKeysByPath } from "./catalogue.js";
import { type Given, unknownKey } from "./given.js";
import { fractionText, integerText } from "./parse-text.js";
import { filePath, type SettingProblem, type SettingSource } from "./problem.js";
import { isReadableByOthers, readBoundedFile } from "./read-bounded-file.js";
import type { SettingKind } from "./setting.js";
import { parseYaml } from "./yaml-document.js";

/** Largest configuration file, bytes. */
const configBytesMax = 1_048_576;
/** Most times that an alias may be followed before the file is taken for a bomb. */
const aliasesMax = 100;
const deadAlias = "refers to an anchor that doesn't exist";
/** Most characters of a wrong number that are repeated. */
const numberLengthMax = 80;

const sections: ReadonlySet<string> = new Set(
  settingKeys.flatMap(({ path }) =>
    path
      .split(".")
      .slice(0, -1)
      .map((_, index, parts) => parts.slice(0, index + 1).join(".")),
  ),
);

/** YAML itself also takes `1e3`, `0x10` and `.5`. */
const numberSpellings: Partial<Record<SettingKind, RegExp>> = { integer: integerText, fraction: fractionText };

/** What the file gives, and whether others can read it (a warning where it holds secrets). */
export interface GivenByFile extends Given {
  readonly readableByOthers: boolean;
}

interface Place {
  readonly path: string;
  readonly source: SettingSource;
}

/** A section's entries, or a key's value; `undefined` for an alias that leads nowhere. */
type Resolved = Node | null | undefined;

/** Walks a document along the schema; what the schema doesn't know is told and not entered. */
class DocumentReader {
  readonly given: Given = { values: [], problems: [] };
  readonly #document: Document.Parsed;
  readonly #at: (offset: number) => SettingSource;

  constructor(document: Document.Parsed, at: (offset: number) => SettingSource) {
    this.#document = document;
    this.#at = at;
  }

  readSection(unresolved: Node | null, { path, source }: Place): void {
    const node = this.#resolve(unresolved);
    if (node === null || (isScalar(node) && node.value === null)) return;
    if (isMap<Node, Node | null>(node)) return this.#readEntries(node, path);
    const problem = node === undefined ? deadAlias : "is not a mapping";
    this.given.problems.push({ path: path || filePath, problem, allowed: "keys with values below it", source });
  }

  #resolve(node: Node | null): Resolved {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  #readEntries(map: YAMLMap<Node, Node | null>, prefix: string): void {
    for (const { key: node, value } of map.items) {
      const source = this.#at(node.range?.[0] ?? 0);
      const name = isScalar(node) ? String(node.value) : "(not a word)";
      const path = prefix === "" ? name : `${prefix}.${name}`;
      const isDotted = name.includes(".");
      const key = settingKeysByPath.get(path);
      if (key !== undefined && isDotted) {
        const allowed = "one level of indentation for each part of the key";
        this.given.problems.push({ path, problem: "is written with dots", allowed, source });
      } else if (key !== undefined) {
        this.#readValue(key, value, source);
      } else if (sections.has(path) && !isDotted) {
        this.readSection(value, { path, source });
      } else {
        this.given.problems.push(unknownKey(path, source));
      }
    }
  }

  #readValue(key: SettingKey, unresolved: Node | null, source: SettingSource): void {
    const node = this.#resolve(unresolved);
    const value = node === undefined ? { problem: deadAlias } : this.#valueOf(node, key.kind);
    if ("problem" in value)
      this.given.problems.push({ path: key.path, problem: value.problem, allowed: key.allowed, source });
    else this.given.values.push({ key, value: value.value, source });
  }

  #valueOf(node: Node | null, kind: SettingKind): { value: unknown } | { problem: string } {
    if (node === null) return { value: null };
    const spelling = numberSpellings[kind];
    if (
      spelling !== undefined &&
      isScalar(node) &&
      typeof node.value === "number" &&
      !spelling.test(node.source ?? "")
    ) {
      return { problem: `is ${node.source?.slice(0, numberLengthMax)}` };
    }
    try {
      return { value: node.toJS(this.#document, { maxAliasCount: aliasesMax }) as unknown };
    } catch {
      return { problem: `follows more than ${aliasesMax} aliases, or one that leads nowhere` };
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
  const yaml = parseYaml(read.bytes.toString("utf8"));
  const at = (offset: number): SettingSource => ({ kind: "file", at: `${file}:${yaml.lines.linePos(offset).line}` });
  const readableByOthers = isReadableByOthers(read.mode);
  if (!yaml.ok) {
    const told = yaml.faults.map(({ problem, offset }) => ({
      path: filePath,
      problem,
      allowed: "YAML 1.2",
      source: at(offset),
    }));
    return { values: [], problems: told, readableByOthers };
  }
  const reader = new DocumentReader(yaml.document, at);
  reader.readSection(yaml.document.contents, { path: "", source: at(0) });
  return { ...reader.given, readableByOthers };
}
