// The process of a `Crowd`: so many SDK clients, each of which looks at every event that it gets. Started by `Crowd` only.
import { connect, type Sluice } from "@sluice/client";
import { WebSocket } from "ws";
import type { CrowdOrder, CrowdReport } from "./crowd.js";

const wrongShown = 5;
/** Opening and churn are done in so many steps a second. */
const stepsPerSecond = 20;
const msPerS = 1_000;

type Begin = Extract<CrowdOrder, { order: "begin" }>;

let begin: Begin | undefined;
const members = new Set<Member>();
const returnedAtMs: number[] = [];
const wrong: string[] = [];
let wrongs = 0;
let gaps = 0;
let opened = 0;

function note(what: string): void {
  wrongs += 1;
  if (wrong.length < wrongShown) wrong.push(what);
}

/** One client and where it stands. */
class Member {
  readonly sluice: Sluice;
  /** Number of the next event; undefined before the first one. */
  next: number | undefined;
  isLive = false;
  #wasLost = false;

  constructor({ url, token, events }: Begin) {
    this.sluice = connect({ url, token, WebSocket });
    this.sluice.subscribe({ events, onGap: () => (gaps += 1) }, ({ payload }) => this.#take(payload));
    this.sluice.onStatus(({ state }) => {
      if (state === "ended" && members.has(this)) note("a client ended for good");
      this.isLive = state === "live";
      if (state === "reconnecting") this.#wasLost = true;
      if (!this.#wasLost || (state !== "live" && state !== "catching-up")) return;
      this.#wasLost = false;
      returnedAtMs.push(performance.timeOrigin + performance.now());
    });
  }

  #take(payload: unknown): void {
    const { n } = payload as { readonly n: number };
    if (this.next !== undefined && n !== this.next) note(`event ${n} in place of ${this.next}`);
    this.next = n + 1;
  }
}

function open(count: number): void {
  for (let index = 0; index < count; index += 1) members.add(new Member(begin as Begin));
  opened += count;
}

function churn(count: number): void {
  for (const member of [...members].slice(0, count)) {
    members.delete(member);
    // Its own end is nothing wrong.
    member.sluice.close();
  }
  open(count);
}

function start(order: Begin): void {
  begin = order;
  let owed = 0;
  setInterval(() => {
    const isOpening = opened < order.clients;
    owed += (isOpening ? order.opensPerSecond : order.churnPerSecond) / stepsPerSecond;
    const count = Math.min(Math.floor(owed), isOpening ? order.clients - opened : members.size);
    owed -= Math.floor(owed);
    if (isOpening) open(count);
    else if (count > 0) churn(count);
  }, msPerS / stepsPerSecond);
}

function report(): CrowdReport {
  const nexts = [...members].map(({ next }) => next ?? 0);
  return {
    clients: members.size,
    live: [...members].filter(({ isLive }) => isLive).length,
    opened,
    returns: returnedAtMs.length,
    next: nexts.reduce((least, next) => Math.min(least, next), Number.MAX_SAFE_INTEGER),
    wrongs,
    wrong,
    gaps,
  };
}

process.on("message", (order: CrowdOrder) => {
  if (order.order === "begin") start(order);
  else if (order.order === "forget returns") returnedAtMs.length = 0;
  else process.send?.(order.order === "report" ? report() : returnedAtMs);
});
process.once("disconnect", () => process.exit());
