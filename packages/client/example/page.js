// The example page: what is live, where the connection stands, and what was counted. All that it knows of Sluice is the
// client. For tests it keeps its numbers on `window.sluicePage`.
import { connect, localStorageCursors } from "@sluice/client";
import { drawValues, noteValue } from "./latest-values.js";
import { given, readSession } from "./session.js";

const rowsMax = 50;
const drawEveryMs = 250;
const rateEveryMs = 1_000;

const element = (id) => document.getElementById(id);
const form = element("form");
const fields = form.elements;
const list = (text) => text.split(/[\s,]+/).filter((name) => name !== "");
const page = { total: 0, outOfOrder: 0, lastSeq: 0, numbers: [], gaps: [], bufferedMax: 0, sluice: undefined };
window.sluicePage = page;

/** What waits to be drawn; more than a table of rows is not worth it. */
let newest = [];
let session;
let rate = { at: performance.now(), total: 0, perSecond: 0 };

function rowOf(item) {
  const row = document.createElement("tr");
  row.className = item.type;
  const missing =
    item.reason === "forbidden"
      ? `the token no longer allows ${item.events.join(", ")} in ${item.clusters?.join(", ") ?? "any cluster"}`
      : `${item.dropped ?? "some"} events are missing here (${item.reason})`;
  const cells =
    item.type === "gap"
      ? { seq: item.to_seq, time: "", type: "gap", cluster: "", payload: missing }
      : {
          seq: item.seq,
          time: new Date(item.timestamp).toLocaleTimeString(),
          type: item.event_type,
          cluster: item.cluster_id ?? "",
          payload: `${item.subject ?? ""} ${JSON.stringify(item.payload)}`.slice(0, 300),
        };
  for (const [name, text] of Object.entries(cells)) {
    const cell = document.createElement("td");
    cell.className = name;
    cell.textContent = text;
    row.append(cell);
  }
  return row;
}

const inWords = {
  idle: () => "not connected yet",
  connecting: () => "",
  live: () => "everything published is here",
  "catching-up": () => "events of the past are on their way",
  lagging: ({ pending }) => `this page is slower than the stream; ${pending.toLocaleString()} events wait`,
  reconnecting: ({ why, attempt, at }) =>
    `${why}; attempt ${attempt} in ${Math.max(0, Math.ceil((at - Date.now()) / 1_000))} s`,
  ended: ({ why }) => why,
};

function drawStatus() {
  if (page.sluice === undefined) return;
  const { status } = page.sluice;
  const node = element("status");
  node.dataset.state = status.state;
  node.textContent = status.state;
  element("detail").textContent = inWords[status.state](status);
}

function drawCounters() {
  const { counters } = page.sluice;
  const now = performance.now();
  if (now - rate.at >= rateEveryMs) {
    const perSecond = Math.round(((page.total - rate.total) * 1_000) / (now - rate.at));
    rate = { at: now, total: page.total, perSecond };
  }
  const ms = (value) => (value === undefined ? "–" : `${Math.round(value)} ms`);
  const shown = {
    events: page.total,
    "per second": rate.perSecond,
    gaps: counters.gaps,
    "waiting here": counters.buffered,
    "from history": `${counters.pages} pages`,
    "came twice": counters.repeats,
    connections: counters.connections,
    "round trip": ms(counters.roundTripMs),
    "clock skew": ms(counters.skewMs),
  };
  const groups = Object.entries(shown).map(([name, value]) => {
    const [term, description] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    description.textContent = value.toLocaleString();
    const group = document.createElement("div");
    group.append(term, description);
    return group;
  });
  element("counters").replaceChildren(...groups);
}

function draw() {
  if (page.sluice === undefined) return;
  drawStatus();
  drawCounters();
  drawValues();
  const body = element("events");
  body.prepend(...newest.map(rowOf).reverse());
  newest = [];
  while (body.rows.length > rowsMax) body.deleteRow(-1);
}

function take(item) {
  newest.push(item);
  if (newest.length > rowsMax) newest.shift();
  page.bufferedMax = Math.max(page.bufferedMax, page.sluice.counters.buffered);
  if (item.type === "gap") {
    page.gaps.push(item);
    return;
  }
  if (item.seq <= page.lastSeq) page.outOfOrder += 1;
  page.lastSeq = item.seq;
  page.total += 1;
  if (typeof item.payload?.n === "number") page.numbers.push(item.payload.n);
  noteValue(element("cards"), item);
}

/** A slow reader is one whose callback takes its time: the next event waits for the promise. */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function open() {
  page.sluice?.close();
  const typed = fields.token.value === "" ? undefined : fields.token.value;
  page.sluice = connect({
    url: fields.url.value,
    token: typed ?? session?.token,
    cursorStore: localStorageCursors(),
  });
  page.sluice.onStatus(drawStatus);
  const wanted = { events: list(fields.events.value), clusters: list(fields.clusters.value) };
  const subscription = page.sluice.subscribe(wanted, async (item) => {
    take(item);
    const ms = Number(fields.pace.value);
    if (ms > 0) await pause(ms);
  });
  subscription.finished.catch((/** @type {unknown} */ error) => (element("detail").textContent = String(error)));
}

async function publish() {
  try {
    await page.sluice?.publish({
      event_type: "ALERT_FIRED",
      cluster_id: "local",
      subject: "example page",
      payload: { text: "hello" },
    });
  } catch (error) {
    element("detail").textContent = error.message;
  }
}

async function begin() {
  try {
    session = await readSession();
  } catch (error) {
    element("detail").textContent = error.message;
  }
  fields.url.value = session?.url ?? given("url") ?? location.origin;
  fields.token.value = given("token") ?? "";
  fields.events.value = given("events") ?? "*";
  if (session?.needsToken === false || given("url") !== null) open();
  else element("connection").open = true;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  open();
});
element("publish").addEventListener("click", () => void publish());
setInterval(draw, drawEveryMs);
void begin();
