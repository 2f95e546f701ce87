// What turns the text of an option into its value, for commander: a wrong one throws `InvalidArgumentError`, whose
// message commander puts behind the option and the text. Never used for options that hold secrets.
import { isName, isPattern, nameGrammar, patternsPerCommandMax, clustersPerCommandMax } from "@sluice/protocol";
import { InvalidArgumentError } from "commander";
import { durationGrammar, parseDuration } from "./duration.js";

/** A duration from `minMs` to `maxMs`. */
export function durationOption(minMs: number, maxMs: number, allowed: string): (text: string) => number {
  return (text) => {
    const ms = parseDuration(text);
    if (ms === undefined) throw new InvalidArgumentError(`It must be ${durationGrammar}.`);
    if (ms < minMs || ms > maxMs) throw new InvalidArgumentError(`It must be ${allowed}.`);
    return ms;
  };
}

/** An integer from `min` to `max`, in decimal digits. */
export function integerOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw new InvalidArgumentError(
        `It must be an integer from ${min} to ${max === Number.MAX_SAFE_INTEGER ? "2^53 - 1" : max}.`,
      );
    }
    return value;
  };
}

/** One name of an event or a cluster. */
export function nameOption(text: string): string {
  if (!isName(text)) throw new InvalidArgumentError(`It must be ${nameGrammar}.`);
  return text;
}

/** Event names or patterns, comma-separated; the option may be given several times. */
export function patternsOption(text: string, before: readonly string[] | undefined): readonly string[] {
  const patterns = merge(text, before);
  const bad = patterns.find((item): boolean => !isPattern(item));
  if (bad !== undefined) {
    throw new InvalidArgumentError(`"${bad}" must be a name (${nameGrammar}), a name with a trailing *, or *.`);
  }
  if (patterns.length > patternsPerCommandMax) {
    throw new InvalidArgumentError(`At most ${patternsPerCommandMax} names and patterns can be given.`);
  }
  return patterns;
}

/** Cluster names without patterns, as a subscription takes them; comma-separated. */
export function clustersOption(text: string, before: readonly string[] | undefined): readonly string[] {
  const clusters = merge(text, before);
  const bad = clusters.find((item): boolean => !isName(item));
  if (bad !== undefined) throw new InvalidArgumentError(`"${bad}" must be a name: ${nameGrammar}.`);
  if (clusters.length > clustersPerCommandMax) {
    throw new InvalidArgumentError(`At most ${clustersPerCommandMax} clusters can be given.`);
  }
  return clusters;
}

function merge(text: string, before: readonly string[] | undefined): readonly string[] {
  const items = text.split(",").map((item) => item.trim());
  return [...new Set([...(before ?? []), ...items])];
}
