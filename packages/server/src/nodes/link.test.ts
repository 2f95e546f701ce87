import { expect, it } from "vitest";
import { LogError } from "../log/event-log.js";
import { Link, type Channel } from "./link.js";

/** Two channels into each other; what is sent arrives as a copy, in a later turn, as over IPC. */
function channels(): [Channel, Channel, () => void] {
  const messages: ((message: unknown) => void)[][] = [[], []];
  const closes: (() => void)[] = [];
  const channel = (side: 0 | 1): Channel => ({
    send: (message) => {
      const copy = structuredClone(message);
      setImmediate(() => messages[1 - side]?.forEach((listener) => listener(copy)));
    },
    onMessage: (listener) => messages[side]?.push(listener),
    onClose: (listener) => closes.push(listener),
  });
  return [channel(0), channel(1), () => closes.forEach((close) => close())];
}

/** For a link that answers and is not asked. */
function hold(_link: Link): void {}

const silent = { answer: () => undefined, told: () => {} };

it("brings each answer to its question, whatever comes first", async () => {
  const [near, far] = channels();
  const open: ((value: unknown) => void)[] = [];
  const asker = new Link({ channel: near, ...silent });
  hold(new Link({ ...silent, channel: far, answer: () => new Promise((resolve) => open.push(resolve)) }));
  const asked = [asker.ask("a", 1), asker.ask("b", 2)];
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  open[1]?.("second");
  open[0]?.("first");
  expect(await Promise.all(asked)).toEqual(["first", "second"]);
});

it("brings a refusal with its code, and a fault without one", async () => {
  const [near, far] = channels();
  const asker = new Link({ channel: near, ...silent });
  const refuse = (kind: string): never => {
    throw kind === "full" ? new LogError("LOG_FULL", "no room") : new TypeError("odd");
  };
  hold(new Link({ ...silent, channel: far, answer: refuse }));
  await expect(asker.ask("full", null)).rejects.toMatchObject({ name: "LogError", code: "LOG_FULL" });
  await expect(asker.ask("odd", null)).rejects.toMatchObject({ name: "Error", message: "odd" });
});

it("refuses what is open when the other side goes, and what is asked after that", async () => {
  const [near, far, close] = channels();
  const told: unknown[] = [];
  const asker = new Link({ channel: near, ...silent });
  hold(
    new Link({ channel: far, answer: () => new Promise(() => {}), told: (kind, about) => told.push([kind, about]) }),
  );
  const asked = asker.ask("a", null);
  asker.tell("news", [1]);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  close();
  await expect(asked).rejects.toMatchObject({ code: "LOG_CLOSED" });
  await expect(asker.ask("b", null)).rejects.toMatchObject({ code: "LOG_CLOSED" });
  expect(told).toEqual([["news", [1]]]);
});
