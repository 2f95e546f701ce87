import { describe, expect, it } from "vitest";
import type { Session } from "../session/session.js";
import { Connections, type Connection, type ConnectionLimits } from "./connections.js";

const wide = { total: 100, perUser: 100, perAddress: 0 };

function connectionsWith(limits: Partial<ConnectionLimits> = {}): Connections {
  return new Connections({ ...wide, ...limits });
}

function connectionOf(id: string, userId: string): Connection {
  return { id, userId, remoteAddress: "::1", connectedAtMs: 0, session: {} as Session };
}

/** Goes all the way in, or says where it was stopped. */
function enter(connections: Connections, id: string, { user = "alice", address = "::1" } = {}) {
  const place = connections.take(address);
  if (place === undefined) return "no place";
  if (!place.claimFor(user)) {
    place.release();
    return "no share";
  }
  place.register(connectionOf(id, user));
  return place;
}

describe("Connections", () => {
  it("has room for as many as its limit, handshakes included, and again when one has gone", () => {
    const connections = connectionsWith({ total: 2 });
    const handshake = connections.take("::1");
    const inside = enter(connections, "a");
    expect(enter(connections, "b")).toBe("no place");
    handshake?.release();
    expect(enter(connections, "b")).not.toBe("no place");
    expect(inside).not.toBe("no place");
    expect(connections.size).toBe(2);
  });

  it("gives each address its share; 0 is unlimited", () => {
    const connections = connectionsWith({ perAddress: 1 });
    expect(enter(connections, "a", { address: "192.0.2.1" })).toBeTypeOf("object");
    expect(enter(connections, "b", { address: "192.0.2.1" })).toBe("no place");
    expect(enter(connections, "c", { address: "192.0.2.2" })).toBeTypeOf("object");
    const unlimited = connectionsWith({ perAddress: 0 });
    for (let n = 0; n < 50; n += 1) expect(enter(unlimited, `c${n}`)).toBeTypeOf("object");
  });

  it("gives each user a share; 0 is unlimited", () => {
    const connections = connectionsWith({ perUser: 1 });
    const first = enter(connections, "a");
    expect(enter(connections, "b")).toBe("no share");
    expect(enter(connections, "c", { user: "bob" })).toBeTypeOf("object");
    if (typeof first === "object") first.release();
    expect(enter(connections, "d")).toBeTypeOf("object");
    const unlimited = connectionsWith({ perUser: 0 });
    for (let n = 0; n < 50; n += 1) expect(enter(unlimited, `c${n}`)).toBeTypeOf("object");
  });

  it("takes a place back once, however often it is given", () => {
    const connections = connectionsWith({ total: 1 });
    const place = connections.take("::1");
    place?.release();
    place?.release();
    expect(enter(connections, "a")).toBeTypeOf("object");
    expect(enter(connections, "b")).toBe("no place");
  });

  it("finds connections by id, by user and in the order of their coming, and forgets those that have gone", () => {
    const connections = connectionsWith();
    const place = enter(connections, "a");
    enter(connections, "b", { user: "bob" });
    enter(connections, "c");
    expect([...connections].map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect(connections.get("b")).toMatchObject({ userId: "bob" });
    expect(connections.ofUser("alice").map(({ id }) => id)).toEqual(["a", "c"]);
    if (typeof place === "object") place.release();
    expect(connections.get("a")).toBeUndefined();
    expect(connections.ofUser("alice").map(({ id }) => id)).toEqual(["c"]);
  });
});
