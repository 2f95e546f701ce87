// YAML text to a document that is safe to walk: no faults, no key twice, and no word of it in a problem, since it may
// hold secrets. The yaml package's own messages quote the text; only its codes are used.
import { type Document, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { tooDeepAt } from "./yaml-nesting.js";

/** Something wrong with the YAML itself. */
export interface YamlFault {
  readonly problem: string;
  /** Where in the text, characters from its start. */
  readonly offset: number;
}

/** A document without faults, or at most five faults; `lines` tells the line of an offset either way. */
export type YamlOutcome =
  | { readonly ok: true; readonly document: Document.Parsed; readonly lines: LineCounter }
  | { readonly ok: false; readonly faults: readonly YamlFault[]; readonly lines: LineCounter };

const problems: Readonly<Record<string, string>> = {
  BAD_INDENT: "is indented wrongly",
  BLOCK_AS_IMPLICIT_KEY: "is indented wrongly",
  MISSING_CHAR: "lacks a character such as a colon, a quote or a bracket",
  MULTIPLE_DOCS: "holds more than one document",
  TAB_AS_INDENT: "is indented with tabs",
  TAG_RESOLVE_FAILED: "has a tag that is not known",
};

/** Most faults that are told; those after the first few mostly follow from them. */
const faultsMax = 5;

/** Keys that a mapping has twice. The package's own search is quadratic: 70,000 keys took it over a minute. */
function doubledKeys(document: Document.Parsed): readonly YamlFault[] {
  const found: YamlFault[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) found.push({ problem: "has the same key twice", offset: key.range?.[0] ?? 0 });
        seen.add(key.value);
      }
    },
  });
  return found;
}

function faultsOf(document: Document.Parsed): readonly YamlFault[] {
  const parsing = [...document.errors, ...document.warnings];
  if (parsing.length === 0) return doubledKeys(document);
  return parsing.map(({ code, pos }) => ({ problem: problems[code] ?? `is not YAML (${code})`, offset: pos[0] }));
}

/** Parses one YAML 1.2 document. */
export function parseYaml(text: string): YamlOutcome {
  const lines = new LineCounter();
  const tooDeep = tooDeepAt(text, lines);
  if (tooDeep !== undefined)
    return { ok: false, faults: [{ problem: "is nested too deeply", offset: tooDeep }], lines };
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, logLevel: "error" });
  const faults = faultsOf(document);
  return faults.length === 0 ? { ok: true, document, lines } : { ok: false, faults: faults.slice(0, faultsMax), lines };
}
