// Which modules a source file names: imports, re-exports, dynamic imports and `import("…")` types, each with its line.
import { parseSync, Visitor } from "oxc-parser";
import { lineAt } from "./problems.mjs";

/**
 * @typedef {object} SourceImport
 * @property {string} specifier as written
 * @property {number} line 1-based
 * @property {boolean} typeOnly erased by the compiler
 */

/**
 * The modules named in a file, in order of appearance. Dynamic imports of computed names are not listed.
 * @param {string} path decides the language by its ending
 * @param {string} text
 * @returns {SourceImport[]}
 * @throws {SyntaxError} where the file does not parse
 */
export function importsOf(path, text) {
  const { program, errors } = parseSync(path, text);
  const fault = errors.find((error) => error.severity === "Error");
  if (fault !== undefined) {
    throw new SyntaxError(`${path}:${lineAt(text, fault.labels[0]?.start ?? 0)}: ${fault.message}`);
  }

  /** @type {SourceImport[]} */
  const found = [];
  const add = (/** @type {unknown} */ source, /** @type {number} */ start, /** @type {boolean} */ typeOnly) => {
    const specifier = source !== null && typeof source === "object" && "value" in source ? source.value : undefined;
    if (typeof specifier === "string") found.push({ specifier, line: lineAt(text, start), typeOnly });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.start, node.importKind === "type"),
    ExportNamedDeclaration: (node) => add(node.source, node.start, node.exportKind === "type"),
    ExportAllDeclaration: (node) => add(node.source, node.start, node.exportKind === "type"),
    ImportExpression: (node) => add(node.source, node.start, false),
    TSImportType: (node) => add(node.source ?? node.argument, node.start, true),
  }).visit(program);
  return found;
}
