// A long list as a JSON body, written a slice a turn: as one text, thousands of items would hold up every event.
import { Readable } from "node:stream";
import { TurnBudget } from "../log/turn-budget.js";

/** Items written in one turn of the event loop, about 1 ms of connections. */
const itemsPerTurn = 128;

/** `{"<name>":[…items],…rest}`, for a reply of `application/json`; `rest` comes after the list. */
export function jsonList(name: string, items: readonly object[], rest: object): Readable {
  return Readable.from(chunks(name, items, rest), { objectMode: false });
}

async function* chunks(name: string, items: readonly object[], rest: object): AsyncGenerator<string> {
  const turn = new TurnBudget(itemsPerTurn);
  yield `{${JSON.stringify(name)}:[`;
  for (let start = 0; start < items.length; start += itemsPerTurn) {
    const slice = items.slice(start, start + itemsPerTurn).map((item) => JSON.stringify(item));
    yield `${start === 0 ? "" : ","}${slice.join()}`;
    await turn.spend(slice.length);
  }
  yield `]${Object.entries(rest)
    .map(([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`)
    .join("")}}`;
}
