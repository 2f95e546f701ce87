import { describe, expect, it } from "vitest";
import { BackendPool } from "./backend-pool.js";

function pool(...urls: string[]) {
  const time = { ms: 0 };
  const backends = new BackendPool({ now: () => time.ms, wall: () => time.ms });
  backends.setList(urls);
  return { backends, time };
}

const [a, b] = ["http://a:1/", "http://b:1/"];

describe("BackendPool", () => {
  it("chooses the one with the fewest connections, in turn where they are equal", () => {
    const { backends } = pool(a, b);
    const chosen = [1, 2].map(() => backends.choose(new Set())?.url.href);
    expect(new Set(chosen)).toEqual(new Set([a, b]));
    for (const backend of backends.backends) backend.connections = backend.url.href === a ? 3 : 2;
    expect(backends.choose(new Set())?.url.href).toBe(b);
  });

  it("leaves alone what failed, longer each time, but not when there is nothing else", () => {
    const { backends, time } = pool(a, b);
    const [first, second] = backends.backends as [
      NonNullable<(typeof backends.backends)[0]>,
      NonNullable<(typeof backends.backends)[0]>,
    ];
    first.failed(time.ms);
    expect(backends.choose(new Set())).toBe(second);
    expect(backends.choose(new Set([second]))).toBe(first);
    time.ms = 1_000;
    expect(first.isEjected(time.ms)).toBe(false);
    for (let n = 0; n < 20; n += 1) first.failed(time.ms);
    expect(first.view(time.ms).ejected_ms).toBe(30_000);
    first.succeeded();
    expect(first.isEjected(time.ms)).toBe(false);
  });

  it("takes one late look for a hiccup, two for down, and one that is ready for up", () => {
    const { backends } = pool(a);
    const [backend] = backends.backends as [NonNullable<(typeof backends.backends)[0]>];
    backend.looked("late");
    expect([backend.health, backend.isAvailable]).toEqual(["unknown", true]);
    backend.looked("late");
    expect([backend.health, backends.choose(new Set())]).toEqual(["down", undefined]);
    backend.looked("ready");
    expect(backends.available).toBe(1);
    backend.looked("not-ready");
    expect(backends.available).toBe(0);
  });

  it("keeps what it knows of those that stay when the list changes", () => {
    const { backends } = pool(a, b);
    const [first, second] = backends.backends;
    backends.setList([b, "http://c:1", b]);
    expect(backends.backends.map(({ url }) => url.href)).toEqual([b, "http://c:1/"]);
    expect(backends.backends[0]).toBe(second);
    expect(first?.isDraining).toBe(true);
    expect(backends.find("c:1")?.url.href).toBe("http://c:1/");
  });
});
