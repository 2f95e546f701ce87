// How far the rate can rise, events coming one by one, before the 99th percentile breaks or something is missing.

import { pause, ratioOf, type Cell, type Figures } from "../cell.js";
import { installed, type ContenderName } from "../contenders.js";
import { figuresBetween, startPair, type Pair } from "../fan-out-run.js";

const contenders: readonly ContenderName[] = ["sluice", "bun", "ws", "socket.io"];
const subscribers = 1000;
const p99MsMax = 50;
/** Share of what was published that must have arrived within the step. */
const deliveredShareMin = 0.97;
/** Rates rise by this until one breaks; then the last step is halved so many times. */
const rise = 1.5;
const halvings = 2;
const rateMax = 50_000;
const firstRate: Readonly<Record<ContenderName, number>> = {
  sluice: 60,
  frames: 60,
  bun: 60,
  ws: 30,
  "socket.io": 10,
};
const settleMs = 700;
/** Until the server's code is compiled, which takes turns on the very core that it serves from. */
const warmUpMs = 8000;
const sampleEvery = 53;

interface Step {
  readonly holds: boolean;
  readonly figures: Figures;
}

async function tryRate(pair: Pair, perSecond: number, seconds: number): Promise<Step> {
  await pair.server.ask({ perSecond });
  await pause(settleMs);
  const before = await pair.begin();
  await pause(seconds * 1000);
  const figures = figuresBetween(before, await pair.read());
  const { p99Ms, deliveriesPerS, missing, gaps } = figures as Record<string, number>;
  const isComplete = (deliveriesPerS ?? 0) >= deliveredShareMin * perSecond * subscribers;
  return { holds: (p99Ms ?? Infinity) < p99MsMax && isComplete && missing === 0 && gaps === 0, figures };
}

async function findCapacity(server: ContenderName, seconds: number): Promise<Figures> {
  const load = { connections: subscribers, isWhole: true, sampleEvery };
  await using pair = await startPair({ server, source: { perSecond: firstRate[server] }, seconds, load });
  let best = 0;
  let found: Figures = {};
  const holds = async (rate: number): Promise<boolean> => {
    let step = await tryRate(pair, rate, seconds);
    if (!step.holds) {
      // A hiccup of the machine is not the end of the search: what breaks must break twice.
      await pair.server.ask("stop");
      await pause(settleMs * 2);
      step = await tryRate(pair, rate, seconds);
    }
    if (step.holds) {
      best = rate;
      found = step.figures;
    }
    return step.holds;
  };
  await pair.server.ask({ perSecond: firstRate[server] });
  await pause(warmUpMs);
  let broken = firstRate[server];
  while (broken < rateMax && (await holds(broken))) broken *= rise;
  // What the broken rate left behind is taken first.
  for (let halving = 0; halving < halvings; halving += 1) {
    await pair.server.ask("stop");
    await pause(settleMs * 2);
    const middle = (best + broken) / 2;
    if (!(await holds(middle))) broken = middle;
  }
  return { ...found, eventsPerS: best };
}

export const capacityCell: Cell = {
  name: "capacity",
  summary: `the highest rate of single events at ${subscribers} subscribers with p99 under ${p99MsMax} ms and nothing missing`,
  seconds: 2,
  columns: [
    { figure: "eventsPerS", title: "events/s" },
    { figure: "deliveriesPerS", title: "deliveries/s there" },
    { figure: "cpuSPerMillion", title: "server CPU s per 1M", digits: 3 },
    { figure: "p50Ms", title: "p50 ms", digits: 1 },
    { figure: "p99Ms", title: "p99 ms", digits: 1 },
    { figure: "clientCpuPercent", title: "client CPU %" },
  ],
  variants: ({ seconds }) =>
    installed(contenders).map((server) => ({ name: server, measure: () => findCapacity(server, seconds) })),
  findings: (medians) =>
    contenders.slice(1).flatMap((peer) => ratioOf(medians, ["sluice", peer], "eventsPerS", "events/s")),
};
