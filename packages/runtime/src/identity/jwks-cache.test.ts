import { describe, expect, it } from "vitest";
import { JwksCache } from "./jwks-cache.js";
import type { TextResponse } from "./fetch-text.js";

const cooldownMs = 1_000;
const maxAgeMs = 600_000;
const staleMs = 3_600_000;

const jwk = (kid?: string) => ({
  kty: "EC",
  crv: "P-256",
  x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
  y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
  ...(kid !== undefined && { kid }),
});
const header = (kid?: string) => ({ alg: "ES256", ...(kid !== undefined && { kid }) });

/** A cache before an issuer that publishes what `published` holds, or is down while it is undefined. */
function start(...kids: string[]) {
  const time = { now: 50_000 };
  const issuer = { published: kids.map((kid) => jwk(kid)) as object[] | string | undefined, fetches: 0, held: false };
  const troubles: string[] = [];
  const waiting: (() => void)[] = [];
  const source = async (signal: AbortSignal): Promise<TextResponse> => {
    issuer.fetches++;
    if (issuer.held) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        signal.addEventListener("abort", () => resolve());
      });
    }
    const { published } = issuer;
    if (published === undefined || signal.aborted) return { ok: false, trouble: "the issuer is down" };
    return { ok: true, text: typeof published === "string" ? published : JSON.stringify({ keys: published }) };
  };
  const clock = { now: () => time.now, wall: () => 0 };
  const cache = new JwksCache({
    source,
    clock,
    cooldownMs,
    maxAgeMs,
    staleMs,
    onTrouble: (trouble) => troubles.push(trouble),
  });
  const find = async (kid?: string) => (await cache.find(header(kid))).kind;
  const release = () => {
    issuer.held = false;
    for (const resolve of waiting.splice(0)) resolve();
  };
  return { time, issuer, troubles, cache, find, release };
}

describe("a known key", () => {
  it("is found with one fetch, and none before the first question", async () => {
    const { issuer, find } = start("a");
    expect(issuer.fetches).toBe(0);
    expect(await find("a")).toBe("found");
    expect(await find("a")).toBe("found");
    expect(issuer.fetches).toBe(1);
  });

  it("is fetched once for all who ask first", async () => {
    const { issuer, find } = start("a");
    expect(new Set(await Promise.all(Array.from({ length: 20 }, async () => find("a"))))).toEqual(new Set(["found"]));
    expect(issuer.fetches).toBe(1);
  });
});

describe("a kid that is not known", () => {
  it("is found as soon as the cool-down is over after a rotation", async () => {
    const { issuer, find, time } = start("old");
    await find("old");
    issuer.published = [jwk("old"), jwk("new")];
    time.now += cooldownMs - 1;
    expect(await find("new")).toBe("unknown");
    time.now += 1;
    expect(await find("new")).toBe("found");
    expect(issuer.fetches).toBe(2);
  });

  it("costs one fetch a cool-down at most, however many there are", async () => {
    const { issuer, find, time } = start("a");
    await find("a");
    const fetchedAt: number[] = [];
    for (let i = 0; i < 500; i++) {
      const before = issuer.fetches;
      const outcomes = await Promise.all(Array.from({ length: 4 }, async (_, at) => find(`made-up-${i}-${at}`)));
      expect(new Set(outcomes)).toEqual(new Set(["unknown"]));
      if (issuer.fetches > before) fetchedAt.push(time.now);
      time.now += 13;
    }
    expect(fetchedAt).toHaveLength(Math.floor((500 * 13) / cooldownMs));
    for (const [index, at] of fetchedAt.entries())
      expect(at - (fetchedAt[index - 1] ?? -Infinity)).toBeGreaterThanOrEqual(cooldownMs);
    expect(await find("a")).toBe("found");
  });

  it("does not hold up those with a known one", async () => {
    const { issuer, find, time, release } = start("a");
    await find("a");
    time.now += cooldownMs;
    issuer.held = true;
    const unknown = find("b");
    expect(await find("a")).toBe("found");
    release();
    expect(await unknown).toBe("unknown");
  });
});

describe("age", () => {
  it("has keys in use fetched anew in the background before they are too old", async () => {
    const { issuer, find, time, release } = start("a");
    await find("a");
    time.now += maxAgeMs * 0.8;
    await find("a");
    expect(issuer.fetches).toBe(1);
    time.now += 1;
    issuer.held = true;
    expect(await find("a")).toBe("found");
    expect(issuer.fetches).toBe(2);
    release();
  });

  it("ends a key that the issuer took back, without one token more", async () => {
    const { issuer, find, time } = start("a", "b");
    await find("a");
    issuer.published = [jwk("b")];
    time.now += maxAgeMs + 1;
    expect(await find("a")).toBe("unknown");
    expect(await find("b")).toBe("found");
  });

  it("makes a version current only while young, and only for the newest set", async () => {
    const { issuer, cache, time } = start("a");
    const first = await cache.find(header("a"));
    const version = first.kind === "found" ? first.version : -1;
    expect(cache.isCurrent(version)).toBe(true);
    time.now += maxAgeMs * 0.8 + 1;
    expect(cache.isCurrent(version)).toBe(false);
    await cache.find(header("a"));
    await cache.find(header("a"));
    expect(cache.isCurrent(version)).toBe(true);
    issuer.published = [jwk("a"), jwk("b")];
    time.now += cooldownMs;
    await cache.find(header("b"));
    expect(cache.isCurrent(version)).toBe(false);
  });
});

describe("an issuer that is down", () => {
  it("from the start: nobody knows, and one fetch a cool-down", async () => {
    const { issuer, cache, time, troubles } = start();
    issuer.published = undefined;
    expect(await cache.find(header("a"))).toEqual({ kind: "unavailable", retryAfterMs: 1_000 });
    expect(await cache.find(header("a"))).toMatchObject({ kind: "unavailable" });
    expect(issuer.fetches).toBe(1);
    expect(troubles).toEqual(["the issuer is down"]);
    time.now += cooldownMs;
    issuer.published = [jwk("a")];
    expect(await cache.find(header("a"))).toMatchObject({ kind: "found" });
  });

  it("leaves known keys in use for max age and stale time, not longer", async () => {
    const { issuer, find, time } = start("a");
    await find("a");
    issuer.published = undefined;
    time.now += maxAgeMs + staleMs;
    expect(await find("a")).toBe("found");
    time.now += 1;
    expect(await find("a")).toBe("unavailable");
    issuer.published = [jwk("a")];
    time.now += cooldownMs;
    expect(await find("a")).toBe("found");
  });

  it("makes an unknown kid something nobody knows, until it is back", async () => {
    const { issuer, find, time } = start("a");
    await find("a");
    issuer.published = undefined;
    expect(await find("b")).toBe("unknown");
    time.now += cooldownMs;
    expect(await find("b")).toBe("unavailable");
    expect(await find("b")).toBe("unavailable");
    expect(issuer.fetches).toBe(2);
    issuer.published = [jwk("a")];
    time.now += cooldownMs;
    expect(await find("b")).toBe("unknown");
  });

  it("and slow as well, does not hold up known keys once it is known to be down", async () => {
    const { issuer, find, time, release } = start("a");
    await find("a");
    issuer.published = undefined;
    time.now += maxAgeMs + 1;
    expect(await find("a")).toBe("found");
    time.now += cooldownMs;
    issuer.held = true;
    expect(await find("a")).toBe("found");
    expect(issuer.fetches).toBe(3);
    release();
  });
});

describe("what an issuer may publish instead of keys", () => {
  it.each(["", "<html>", "null", "[]", "{}", '{"keys":{}}', '{"keys":[1]}'])(
    "%s is trouble, and the old keys stay",
    async (text) => {
      const { issuer, find, time, troubles } = start("a");
      await find("a");
      issuer.published = text;
      time.now += maxAgeMs + 1;
      expect(await find("a")).toBe("found");
      expect(troubles).toEqual(["the key set that was fetched is none"]);
    },
  );

  it("no keys at all are a set that nothing fits", async () => {
    const { issuer, find } = start();
    issuer.published = [];
    expect(await find("a")).toBe("unknown");
  });

  it("private keys and broken ones are passed over", async () => {
    const { issuer, find } = start();
    issuer.published = [
      { ...jwk("private"), d: "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE" },
      { ...jwk("broken"), x: "AA" },
      jwk("good"),
    ];
    expect(await find("private")).toBe("unknown");
    expect(await find("broken")).toBe("unknown");
    expect(await find("good")).toBe("found");
  });
});

describe("a token without kid", () => {
  it("is tried with every key that fits, eight at most", async () => {
    const { issuer, cache } = start();
    issuer.published = Array.from({ length: 12 }, (_, i) => jwk(`k-${i}`));
    const lookup = await cache.find(header());
    expect(lookup.kind === "found" && lookup.keys.length).toBe(8);
  });

  it("that no known key has signed is tried with a newer set, when there is one", async () => {
    const { issuer, cache, time } = start("a");
    const lookup = await cache.find(header());
    const version = lookup.kind === "found" ? lookup.version : -1;
    time.now += cooldownMs;
    expect(await cache.findNewer(header(), version)).toEqual({ kind: "unknown" });
    issuer.published = [jwk("b")];
    time.now += cooldownMs;
    expect(await cache.findNewer(header(), version)).toMatchObject({ kind: "found", version: version + 1 });
  });
});

describe("closing", () => {
  it("ends a fetch under way, without trouble, and starts none", async () => {
    const { issuer, cache, find, time, troubles } = start("a");
    issuer.held = true;
    const asked = find("a");
    cache.close();
    expect(await asked).toBe("unavailable");
    time.now += cooldownMs;
    expect(await find("a")).toBe("unavailable");
    expect(issuer.fetches).toBe(1);
    expect(troubles).toEqual([]);
  });
});
