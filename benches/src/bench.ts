// `npm run bench`: runs cells, each variant in processes of its own, the variants in turn and again, so that the
// machine's noise hits them alike. Progress on stderr; a table of medians on stdout; everything as JSON where asked.

import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { signalExitCode } from "@sluice/runtime";
import { catalogue } from "./catalogue.js";
import { median, type Cell, type Column, type Figures, type Variant } from "./cell.js";
import { missingPeers } from "./contenders.js";
import { describeMachine } from "./machine.js";
import { hasNativeClient } from "./start-load.js";

const repeatsDefault = 5;
const secondsDefault = 4;

const numberOptions = ["repeats", "seconds"] as const;

/** @throws where the command line can't be understood */
function readCommand() {
  const command = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h" },
      repeats: { type: "string" },
      seconds: { type: "string" },
      only: { type: "string" },
      json: { type: "string" },
    },
  });
  for (const name of numberOptions) {
    const text = command.values[name];
    if (text !== undefined && !(Number(text) > 0)) throw new Error(`--${name} takes a number over 0, not "${text}"`);
  }
  const unknown = command.positionals.filter((name) => !catalogue.some((cell) => cell.name === name));
  if (unknown.length > 0) throw new Error(`No such cell: ${unknown.join(", ")}`);
  return command;
}

type Command = ReturnType<typeof readCommand>;

const usageText = `npm run bench -- [name …] [--repeats ${repeatsDefault}] [--seconds n] [--only sluice,ws] [--json file]

Without names, every cell. Servers run on core 0 and load clients on core 1, where taskset is there. Medians of the
repeats are shown; --json writes every single figure, with the machine and the versions. --only names rows, or the
first words of them. BENCH_PROFILE=dir writes CPU profiles of Node's servers there, and
BENCH_NODE_FLAGS="--trace-gc" starts them with flags of Node. The load client is native where there is a C compiler (cc);
BENCH_CLIENT=node takes Node's.

${catalogue.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}`).join("\n")}
`;

/** All that was measured of a cell. */
interface CellResult {
  readonly cell: string;
  readonly repeats: number;
  readonly seconds: number;
  readonly rows: Readonly<Record<string, { readonly median: Figures; readonly runs: readonly Figures[] }>>;
  readonly findings: readonly string[];
}

function say(text: string): void {
  process.stderr.write(text);
}

function shown(figures: Figures, { figure, digits = 0 }: Column): string {
  const value = figures[figure];
  if (value === undefined || Number.isNaN(value)) return "–";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function mediansOf(runs: readonly Figures[]): Figures {
  const names = new Set(runs.flatMap((run) => Object.keys(run)));
  return Object.fromEntries([...names].map((name) => [name, median(runs.map((run) => run[name] ?? Number.NaN))]));
}

async function measure(cell: Cell, { measure: run }: Variant): Promise<Figures | undefined> {
  try {
    const figures = await run();
    const first = cell.columns.slice(0, 2).map((column) => `${shown(figures, column)} ${column.title}`);
    say(`${first.join(", ")}\n`);
    return figures;
  } catch (error) {
    say(`failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
    return undefined;
  }
}

async function runCell(cell: Cell, values: Command["values"]): Promise<CellResult> {
  const repeats = Number(values.repeats ?? cell.repeats ?? repeatsDefault);
  const seconds = Number(values.seconds ?? cell.seconds ?? secondsDefault);
  const only = values.only?.split(",").map((words) => words.trim()) ?? [];
  const isWanted = (name: string): boolean =>
    only.length === 0 || only.some((words) => name.startsWith(words) && /^(?:[ ,]|$)/.test(name.slice(words.length)));
  const variants = (await cell.variants({ seconds })).filter(({ name }) => isWanted(name));
  if (variants.length === 0) {
    say(`${cell.name}: no row is called ${only.join(" or ")}\n`);
    process.exitCode = 2;
  }
  const runs = new Map<string, Figures[]>(variants.map(({ name }) => [name, []]));
  for (let repeat = 1; repeat <= repeats; repeat += 1) {
    for (const variant of variants) {
      say(`${cell.name} ${repeat}/${repeats}: ${variant.name} … `);
      const figures = await measure(cell, variant);
      if (figures !== undefined) runs.get(variant.name)?.push(figures);
    }
  }
  const measured = [...runs].filter(([, found]) => found.length > 0);
  const failed = [...runs]
    .filter(([, found]) => found.length < repeats)
    .map(([name, found]) => `${name}: ${repeats - found.length} of ${repeats} runs failed`);
  const medians = new Map(measured.map(([name, found]) => [name, mediansOf(found)]));
  return {
    cell: cell.name,
    repeats,
    seconds,
    rows: Object.fromEntries(measured.map(([name, found]) => [name, { median: mediansOf(found), runs: found }])),
    findings: [...(cell.findings?.(medians) ?? []), ...failed],
  };
}

function table(cell: Cell, { rows, findings, repeats, seconds }: CellResult): string {
  const lines = [
    `\n### ${cell.name}: ${cell.summary}\n`,
    repeats === 1 ? `One run of ${seconds} s each.\n` : `Medians of ${repeats} runs of ${seconds} s, in turn.\n`,
    `| | ${cell.columns.map(({ title }) => title).join(" | ")} |`,
    `|---|${cell.columns.map(() => "---|").join("")}`,
    ...Object.entries(rows).map(
      ([name, row]) => `| ${name} | ${cell.columns.map((column) => shown(row.median, column)).join(" | ")} |`,
    ),
    ...(findings.length === 0 ? [] : ["", ...findings.map((finding) => `- ${finding}`)]),
  ];
  return `${lines.join("\n")}\n`;
}

/** Has all processes keep their files in one directory, which goes with this process, however they and it end. */
function keepFilesTogether(): void {
  const dir = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  process.env["TMPDIR"] = dir;
  process.on("exit", () => rmSync(dir, { recursive: true, force: true, maxRetries: 10 }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(signalExitCode(signal)));
}

async function main(): Promise<void> {
  let command: Command;
  try {
    command = readCommand();
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${usageText}`);
    process.exitCode = 2;
    return;
  }
  const { values, positionals } = command;
  if (values.help === true) {
    process.stdout.write(usageText);
    return;
  }
  keepFilesTogether();
  const machine = describeMachine();
  say(`${machine.cores} × ${machine.cpu}, Node ${machine.node}, ${machine.commit}, load ${machine.loadBefore}\n`);
  const missing = missingPeers();
  if (missing.length > 0) say(`Not installed: ${missing.join(", ")} (benches/peers/README.md)\n`);
  if (!hasNativeClient())
    say("The load client is Node's, and may be what is full first (no C compiler, or BENCH_CLIENT)\n");
  const results: CellResult[] = [];
  for (const cell of catalogue) {
    if (positionals.length > 0 && !positionals.includes(cell.name)) continue;
    const result = await runCell(cell, values);
    results.push(result);
    process.stdout.write(table(cell, result));
    // After each cell, so that an interrupted run keeps what it has.
    if (values.json !== undefined) {
      const all = { machine, hasNativeClient: hasNativeClient(), results };
      await writeFile(values.json, `${JSON.stringify(all, null, 2)}\n`);
    }
  }
}

await main();
