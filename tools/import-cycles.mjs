// Import cycles among files: one per knot, as the shortest way round it.

/**
 * One cycle for every strongly connected group of files, as the paths in order, the first not repeated at the end.
 * A file that imports itself is a cycle of one.
 * @param {ReadonlyMap<string, readonly string[]>} graph file → files it imports; targets outside the map are ignored
 * @returns {string[][]}
 */
export function findCycles(graph) {
  const cycles = [];
  const settled = new Set();
  for (const start of [...graph.keys()].toSorted()) {
    if (settled.has(start)) continue;
    const cycle = shortestWayBack(graph, start, settled);
    if (cycle === undefined) continue;
    cycles.push(cycle);
    for (const path of knotOf(graph, start)) settled.add(path);
  }
  return cycles;
}

/** Breadth first from `start` to `start`. */
function shortestWayBack(graph, start, settled) {
  const cameFrom = new Map();
  const queue = [start];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    for (const next of graph.get(at) ?? []) {
      if (next === start) return wayTo(cameFrom, start, at);
      if (settled.has(next) || cameFrom.has(next) || !graph.has(next)) continue;
      cameFrom.set(next, at);
      queue.push(next);
    }
  }
  return undefined;
}

function wayTo(cameFrom, start, end) {
  const way = [end];
  while (way[0] !== start) way.unshift(cameFrom.get(way[0]));
  return way;
}

/** Every file that `start` reaches and that reaches `start`. */
function knotOf(graph, start) {
  const backwards = new Map();
  for (const [from, targets] of graph) {
    for (const to of targets) backwards.set(to, [...(backwards.get(to) ?? []), from]);
  }
  const ahead = reachable(graph, start);
  return [...reachable(backwards, start)].filter((path) => ahead.has(path));
}

function reachable(graph, start) {
  const seen = new Set([start]);
  const queue = [start];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const next of graph.get(at) ?? []) {
      if (!seen.has(next)) {
        seen.add(next);
        queue.push(next);
      }
    }
  }
  return seen;
}
