// The example page: what is live, what the connection does, and what was counted. Everything it knows of Sluice is the
// client. For tests it keeps its numbers on `window.sluicePage`.
import { connect, localStorageCursors } from "@sluice/client";

const rowsMax = 50;
const countersEveryMs = 250;
const shown = ["events", "gaps", "repeats", "overflows", "pages", "connections", "buffered", "roundTripMs", "skewMs"];

const element = (id) => document.getElementById(id);
const form = element("form");
const list = (text) => text.split(/[\s,]+/).filter((name) => name !== "");

// A token comes in the fragment, which no server sees, and is taken out of the address at once.
const given = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, "", location.pathname + location.search);
form.elements.url.value = given.get("url") ?? location.origin;
form.elements.token.value = given.get("token") ?? "";
if (given.has("events")) form.elements.events.value = given.get("events");

const page = { total: 0, outOfOrder: 0, lastSeq: 0, numbers: [], sluice: undefined };
window.sluicePage = page;

function addRow(item) {
  const row = document.createElement("tr");
  const cells =
    item.type === "gap"
      ? [`${item.from_seq}–${item.to_seq}`, "", `gap (${item.reason})`, "", `${item.dropped ?? "?"} events are missing`]
      : [item.seq, item.timestamp.slice(11, 23), item.event_type, item.cluster_id ?? "", JSON.stringify(item.payload)];
  row.className = item.type;
  for (const cell of cells) row.appendChild(document.createElement("td")).textContent = String(cell).slice(0, 300);
  const body = element("events");
  body.prepend(row);
  if (body.rows.length > rowsMax) body.deleteRow(-1);
}

function showStatus(status) {
  const node = element("status");
  node.dataset.state = status.state;
  node.textContent = status.state;
  const details = {
    reconnecting: () => `${status.why}; attempt ${status.attempt} at ${status.at.toLocaleTimeString()}`,
    lagging: () => `${status.pending} events wait`,
    ended: () => status.why,
  };
  element("detail").textContent = details[status.state]?.() ?? "";
}

function showCounters() {
  if (page.sluice === undefined) return;
  const { counters } = page.sluice;
  const nodes = ["handed out", ...shown].map((name) => {
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    const count = name === "handed out" ? page.total : counters[name];
    term.textContent = name === "events" ? "over the socket" : name;
    value.textContent = count === undefined ? "–" : String(Math.round(count));
    const group = document.createElement("div");
    group.append(term, value);
    return group;
  });
  element("counters").replaceChildren(...nodes);
}

function start() {
  page.sluice?.close();
  const { url, token, events, clusters } = form.elements;
  const sluice = connect({
    url: url.value,
    token: token.value === "" ? undefined : token.value,
    cursorStore: localStorageCursors(),
  });
  page.sluice = sluice;
  sluice.onStatus(showStatus);
  const subscription = sluice.subscribe({ events: list(events.value), clusters: list(clusters.value) }, (item) => {
    if (item.type === "event") {
      if (item.seq <= page.lastSeq) page.outOfOrder += 1;
      page.lastSeq = item.seq;
      page.total += 1;
      if (typeof item.payload?.n === "number") page.numbers.push(item.payload.n);
    }
    addRow(item);
  });
  subscription.finished.catch((/** @type {unknown} */ error) => (element("detail").textContent = String(error)));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
setInterval(showCounters, countersEveryMs);
if (given.has("token")) start();
