// How far the rate can rise, events coming one by one, before the 99th percentile breaks or something is missing. A stop of
// the machine breaks any rate, so the search goes on past a rate that broke, until the next one has broken too; between the
// highest that held and the one above it, it looks closer.

import { pause, ratioOf, type Cell, type Figures } from "../cell.js";
import { installed, type ContenderName } from "../contenders.js";
import { figuresBetween, startPair, type Pair } from "../fan-out-run.js";

const contenders: readonly ContenderName[] = ["sluice", "bun", "ws", "socket.io"];
const subscribers = 1000;
const p99MsMax = 50;
/** Share of what was published that must have arrived within the step. */
const deliveredShareMin = 0.97;
/** Rates rise by this until so many in a row break; then the step above the highest that held is halved so many times. */
const rise = 1.5;
const brokenInARow = 2;
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
/** What a broken rate left behind has been taken once no more frames than this come in `settleMs`: pings. */
const quietFrames = 200;
const settlesMax = 20;
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
  const { p99Ms, deliveriesPerS, missing, gaps, closed } = figures as Record<string, number>;
  const isComplete = (deliveriesPerS ?? 0) >= deliveredShareMin * perSecond * subscribers;
  const isWhole = isComplete && missing === 0 && gaps === 0 && closed === 0;
  return { holds: isWhole && (p99Ms ?? Infinity) < p99MsMax, figures };
}

/** Publishes nothing until what was published has been taken. */
async function untilTaken({ server, client }: Pair): Promise<void> {
  await server.ask("stop");
  let { frames } = await client.ask("report");
  for (let settle = 0; settle < settlesMax; settle += 1) {
    await pause(settleMs);
    const before = frames;
    ({ frames } = await client.ask("report"));
    if (frames - before <= quietFrames) return;
  }
}

async function findCapacity(server: ContenderName, seconds: number): Promise<Figures> {
  const load = { connections: subscribers, isWhole: true, sampleEvery };
  await using pair = await startPair({
    server,
    source: { perSecond: firstRate[server] },
    seconds,
    isClientNative: true,
    load,
  });
  let best = 0;
  let found: Figures = {};
  const holds = async (rate: number): Promise<boolean> => {
    let step = await tryRate(pair, rate, seconds);
    if (!step.holds) {
      await untilTaken(pair);
      step = await tryRate(pair, rate, seconds);
    }
    if (!step.holds) await untilTaken(pair);
    else if (rate > best) {
      best = rate;
      found = step.figures;
    }
    return step.holds;
  };
  await pair.server.ask({ perSecond: firstRate[server] });
  await pause(warmUpMs);
  let broken = 0;
  for (let rate = firstRate[server]; broken < brokenInARow && rate < rateMax; rate *= rise) {
    broken = (await holds(rate)) ? 0 : broken + 1;
  }
  let above = Math.max(best, firstRate[server]) * rise;
  for (let halving = 0; halving < halvings; halving += 1) {
    const middle = (best + above) / 2;
    if (!(await holds(middle))) above = middle;
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
