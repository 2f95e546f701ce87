// Which clusters one subscription wants: names, and prefixes where the bearer's rights are prefixes.

/** A set of cluster names and trailing-`*` patterns; an event without a cluster is never in it. */
export class ClusterFilter {
  /** Sorted, each once. */
  readonly patterns: readonly string[];
  readonly #names: ReadonlySet<string>;
  readonly #prefixes: readonly string[];

  constructor(patterns: Iterable<string>) {
    this.patterns = [...new Set(patterns)].sort();
    this.#names = new Set(this.patterns.filter((pattern) => !pattern.endsWith("*")));
    this.#prefixes = this.patterns.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1));
  }

  has(clusterId: string | undefined): boolean {
    if (clusterId === undefined) return false;
    return this.#names.has(clusterId) || this.#prefixes.some((prefix) => clusterId.startsWith(prefix));
  }
}
