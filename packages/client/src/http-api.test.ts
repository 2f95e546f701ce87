import { describe, expect, it } from "vitest";
import { createHttpApi, type HttpApi } from "./http-api.js";
import { FakeLog } from "./testing/fake-log.js";
import { collect, fakeWorld, goLive } from "./testing/fake-world.js";
import { ManualEnvironment, settled } from "./testing/manual-environment.js";
import { createTokenSource, type TokenOption } from "./token-source.js";

function api(token?: TokenOption): { api: HttpApi; log: FakeLog; environment: ManualEnvironment } {
  const log = new FakeLog();
  const environment = new ManualEnvironment();
  const tokens = createTokenSource(token, environment);
  return { api: createHttpApi({ address: "http://a.test/", tokens, fetch: log.fetch, environment }), log, environment };
}

const request = { path: "x", body: "[]", signal: new AbortController().signal };

describe("HttpApi", () => {
  it("tries again what may pass, after the wait that is asked for", async () => {
    const { api: http, log, environment } = api();
    log.answers.push({ status: 503, headers: { "retry-after": "3" } }, new Error("reset"), { status: 429 });
    const answer = http(request);
    await settled();
    await environment.advance(2_999);
    expect(log.requests).toHaveLength(1);
    await environment.advance(1);
    expect(log.requests).toHaveLength(2);
    await environment.advance(1_000);
    expect(await answer).toMatchObject({ accepted: 0 });
    expect(log.requests).toHaveLength(4);
    expect(environment.timers).toBe(0);
  });

  it("gives up after its time, and says why", async () => {
    const { api: http, log, environment } = api();
    log.answers.push(new Error("reset"), { status: 503, json: { title: "Draining" } });
    const answer = http({ ...request, retryForMs: 600 }).catch((error: unknown) => error);
    await settled();
    await environment.advance(500);
    expect(await answer).toMatchObject({ code: "UNAVAILABLE", status: 503, message: "Draining (HTTP 503)" });
    log.answers.push(new Error("reset"));
    const cause = { message: "reset" };
    const now = http({ ...request, retryForMs: 0 });
    await expect(now).rejects.toMatchObject({ code: "UNAVAILABLE", status: undefined, cause });
  });

  it.each([
    [403, { detail: "not yours" }, "FORBIDDEN", "not yours (HTTP 403)"],
    [400, { title: "Bad", detail: "event 3" }, "REFUSED", "event 3 (HTTP 400)"],
    [404, undefined, "REFUSED", "refused (HTTP 404)"],
    [401, undefined, "REFUSED", "refused (HTTP 401)"],
  ])("does not try again after %i", async (status, json, code, message) => {
    const { api: http, log } = api("fixed");
    log.answers.push({ status, json });
    await expect(http(request)).rejects.toMatchObject({ code, status, message });
  });

  it("asks for another token at once when one is refused", async () => {
    const tokens = ["old", "new"];
    const { api: http, log, environment } = api(() => tokens.shift() ?? "");
    log.answers.push({ status: 401 });
    const answer = http(request);
    await settled();
    await environment.advance(0);
    await answer;
    expect(log.requests.map(({ headers }) => headers["authorization"])).toEqual(["Bearer old", "Bearer new"]);
  });

  it("gives up a request that nobody answers, and everything when it is aborted", async () => {
    const environment = new ManualEnvironment();
    let asked = 0;
    const hanging = createHttpApi({
      address: "http://a.test/",
      tokens: createTokenSource(undefined, environment),
      environment,
      fetch: (_url, { signal }) => {
        asked += 1;
        return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
      },
    });
    const closing = new AbortController();
    const answer = hanging({ ...request, signal: closing.signal }).catch((error: unknown) => error);
    await settled();
    await environment.advance(15_500);
    expect(asked).toBe(2);
    closing.abort();
    expect(await answer).toMatchObject({ code: "CLOSED" });
    expect(environment.timers).toBe(0);
  });
});

describe("history", () => {
  it("is sifted here when the clusters are too many for a query", async () => {
    const world = fakeWorld();
    const clusters = Array.from({ length: 400 }, (_, index) => `cluster-${index}`);
    const { seen } = collect(world.sluice.subscribe({ events: ["A"], clusters, since: 1 }));
    await settled();
    world.log.add(2);
    world.log.events.push({ ...world.log.events[0], seq: 3, cluster_id: "cluster-7" } as never);
    await goLive(world, 5);
    expect(world.log.requests[0]?.query["clusters"]).toBeUndefined();
    expect(seen).toEqual([3]);
  });

  it("hands out a page's gap first, and throws what can't be read", async () => {
    const world = fakeWorld();
    const gap = { type: "gap", reason: "retention", from_seq: 2, to_seq: 3, dropped: null };
    const { seen } = collect(world.sluice.subscribe({ events: ["A"], since: 1 }));
    await settled();
    world.log.answers.push({ status: 200, json: { epoch: "e1", next: null, gap, events: [] } });
    await goLive(world, 5);
    expect(seen).toEqual(["[retention 2-3]"]);
    const other = collect(world.sluice.subscribe({ events: ["A"], since: 1 }));
    world.log.answers.push({ status: 200, json: "<html>" });
    expect(await other.end).toMatchObject({ code: "REFUSED", message: "no answer of Sluice" });
  });

  it("waits for the socket to learn of another log, when a page comes from there", async () => {
    const world = fakeWorld();
    const { seen } = collect(world.sluice.subscribe({ events: ["A"], since: 1 }));
    await settled();
    world.log.add(2, 3);
    world.log.epoch = "e2";
    await goLive(world, 5);
    expect(seen).toEqual([]);
    world.socket.closeWith(1006);
    await world.environment.advance(500);
    world.socket.greet({ epoch: "e2" });
    world.socket.confirm(3);
    await settled();
    expect(seen).toEqual(["[epoch 0-0]", 2, 3]);
  });
});
