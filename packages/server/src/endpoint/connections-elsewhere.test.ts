import { expect, it } from "vitest";
import { ConnectionCounts, type CountChange } from "../nodes/connection-counts.js";
import { Connections } from "./connections.js";

it("counts addresses and users apart, and undoes all of it", () => {
  const counts = new ConnectionCounts();
  counts.add({ of: "address", key: "x", change: 2 });
  counts.add({ of: "user", key: "x", change: 1 });
  expect([counts.total, counts.get("address", "x"), counts.get("user", "x")]).toEqual([2, 2, 1]);
  for (const change of counts.undoing()) counts.add(change);
  expect([counts.total, counts.get("address", "x"), counts.get("user", "x")]).toEqual([0, 0, 0]);
  expect(counts.undoing()).toEqual([]);
});

it.each([1, 2, 3])("makes connections elsewhere count for the limits here: %i of 3", (elsewhere) => {
  const counts = new ConnectionCounts();
  counts.add({ of: "address", key: "::1", change: elsewhere });
  const changes: CountChange[] = [];
  const limits = { total: 3, perUser: 0, perAddress: 0 };
  const connections = new Connections(limits, { counts, onChange: (change) => changes.push(change) });
  const taken = Array.from({ length: 3 }, () => connections.take("::2")).filter((place) => place !== undefined);
  expect(taken).toHaveLength(3 - elsewhere);
  for (const place of taken) place.release();
  expect(changes.reduce((sum, { change }) => sum + change, 0)).toBe(0);
});
