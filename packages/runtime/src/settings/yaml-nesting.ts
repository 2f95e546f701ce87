// How deep YAML is nested, without recursion. The yaml package composes nodes by recursion up to the end of the stack,
// and near that end V8 ends the whole process when it has a regular expression to compile (seen with 50,000 brackets).
import { CST, type LineCounter, Parser } from "yaml";

/** Most levels of mappings and lists in one another; the deepest setting needs five. */
const nestingMax = 32;

type Collection = CST.BlockMap | CST.BlockSequence | CST.FlowCollection;

interface Place {
  readonly collection: Collection;
  readonly depth: number;
}

function* collectionsIn(collection: Collection): Generator<Collection> {
  for (const { key, value } of collection.items) {
    if (CST.isCollection(key)) yield key;
    if (CST.isCollection(value)) yield value;
  }
}

/**
 * A place where the text is deeper than `nestingMax`, characters from its start; undefined when there is none. Enters
 * the text's line ends into `lines`.
 */
export function tooDeepAt(text: string, lines: LineCounter): number | undefined {
  const open: Place[] = [];
  for (const token of new Parser(lines.addNewLine).parse(text)) {
    if (token.type === "document" && CST.isCollection(token.value)) open.push({ collection: token.value, depth: 1 });
  }
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { collection, depth } = place;
    if (depth > nestingMax) return collection.offset;
    for (const inner of collectionsIn(collection)) open.push({ collection: inner, depth: depth + 1 });
  }
  return undefined;
}
