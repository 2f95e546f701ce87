// A card for each source of numbers: the first number of its newest payload, and a line of the last ones.

const pointsMax = 60;
const cardsMax = 10;
const svgNamespace = "http://www.w3.org/2000/svg";

/** @type {Map<string, { values: number[], output: HTMLOutputElement, line: SVGElement }>} */
const cards = new Map();

function addCard(parent, name, member) {
  const card = document.createElement("article");
  const title = document.createElement("h2");
  title.textContent = `${name} · ${member.replaceAll("_", " ")}`;
  const output = document.createElement("output");
  const svg = document.createElementNS(svgNamespace, "svg");
  svg.setAttribute("viewBox", `0 0 ${pointsMax - 1} 20`);
  svg.setAttribute("preserveAspectRatio", "none");
  const line = document.createElementNS(svgNamespace, "polyline");
  svg.append(line);
  card.append(title, output, svg);
  parent.append(card);
  return { values: [], output, line };
}

/** Takes note of an event whose payload holds a number. */
export function noteValue(parent, { event_type, subject, payload }) {
  const [member, value] =
    Object.entries(typeof payload === "object" && payload !== null ? payload : {}).find(
      ([, value]) => typeof value === "number",
    ) ?? [];
  if (member === undefined) return;
  const name = subject ?? event_type;
  let card = cards.get(name);
  if (card === undefined) {
    if (cards.size === cardsMax) return;
    card = addCard(parent, name, member);
    cards.set(name, card);
  }
  card.values.push(value);
  if (card.values.length > pointsMax) card.values.shift();
}

/** Draws what was noted. */
export function drawValues() {
  for (const { values, output, line } of cards.values()) {
    const top = Math.max(...values, Number.MIN_VALUE);
    const first = pointsMax - values.length;
    line.setAttribute("points", values.map((value, index) => `${first + index},${19 - (18 * value) / top}`).join(" "));
    output.textContent = values.at(-1).toLocaleString();
  }
}
