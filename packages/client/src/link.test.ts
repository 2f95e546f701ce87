import { afterEach, describe, expect, it, vi } from "vitest";
import type { Status } from "./status.js";
import { collect, type FakeWorld, fakeWorld, goLive } from "./testing/fake-world.js";
import { settled } from "./testing/manual-environment.js";

async function live(options: Parameters<typeof fakeWorld>[0] = {}): Promise<FakeWorld> {
  const world = fakeWorld(options);
  world.sluice.subscribe({ events: ["A"] });
  await settled();
  await goLive(world, 10);
  return world;
}

describe("connecting", () => {
  it("offers the token in the subprotocol, and nothing of it in the URL", async () => {
    const { socket } = await live({ token: "~~>tok?n?>", policy: "drop-oldest", maxMessages: 7 });
    expect(socket.url).toBe("ws://sluice.test/ws?policy=drop-oldest&max_messages=7");
    expect(socket.protocols).toEqual(["sluice.v1", "base64url.bearer.authorization.k8s.io.fn4-dG9rP24_Pg"]);
  });

  it("opens nothing before the first subscription", async () => {
    const world = fakeWorld();
    await settled();
    expect([world.sockets.length, world.sluice.status]).toEqual([0, { state: "idle" }]);
  });

  it("tells each state once", async () => {
    const world = fakeWorld();
    const states: Status["state"][] = [];
    const off = world.sluice.onStatus(({ state }) => states.push(state));
    world.sluice.subscribe({ events: ["A"] });
    await settled();
    await goLive(world, 10);
    world.socket.events(11, 12);
    world.socket.closeWith(1006);
    expect(world.sluice.status).toEqual({
      state: "reconnecting",
      why: "connection lost (1006)",
      code: 1006,
      attempt: 1,
      at: new Date(world.environment.wall() + 500),
    });
    await world.environment.advance(500);
    off();
    world.sluice.close();
    expect(states).toEqual(["idle", "connecting", "catching-up", "live", "reconnecting", "connecting"]);
    expect(world.sluice.status).toEqual({ state: "ended", reason: "closed", why: "the client was closed" });
  });

  it("tries again when the token function or the constructor throws, and says so without a token", async () => {
    let fails = 2;
    const world = fakeWorld({
      token: () => {
        fails -= 1;
        if (fails === 1) throw new Error("offline");
        return fails === 0 ? Promise.reject(Object.create(null) as Error) : "good";
      },
    });
    world.sluice.subscribe();
    await settled();
    expect(world.sluice.status).toMatchObject({ state: "reconnecting", why: "offline" });
    await world.environment.advance(500);
    expect(world.sluice.status).toMatchObject({ state: "reconnecting", why: "no token", attempt: 2 });
    await world.environment.advance(500);
    expect(world.sockets).toHaveLength(1);
  });
});

describe("coming back", () => {
  it("obeys the drain's reconnect_after_ms, whatever the page hopes", async () => {
    const world = await live();
    world.socket.receive({ type: "disconnect", reason: "server_shutdown", reconnect_after_ms: 7_000 });
    await world.environment.advance(1_000);
    world.socket.closeWith(1012, "Service restart");
    await world.environment.advance(5_999);
    expect(world.sockets).toHaveLength(1);
    await world.environment.advance(1);
    expect(world.sockets).toHaveLength(2);
  });

  it.each([
    [1008, "Policy violation"],
    [4403, "Revoked"],
    [1009, "Message too big"],
  ])("stops for good at %i %s, and the loops throw", async (code, reason) => {
    const world = fakeWorld();
    const { end } = collect(world.sluice.subscribe({ events: ["A"] }));
    await settled();
    await goLive(world, 1);
    world.socket.closeWith(code, reason);
    expect(world.sluice.status).toEqual({ state: "ended", reason: "refused", why: `${reason} (${code})`, code });
    expect(await end).toMatchObject({ code: "CLOSED", message: `refused: ${reason} (${code})` });
    await world.environment.advance(100_000);
    expect(world.sockets).toHaveLength(1);
    expect(() => world.sluice.subscribe()).toThrow(reason);
  });

  it.each([
    ["Unexpected server response: 401", 2],
    ["Unexpected server response: 503", 2],
    ["Unexpected server response: 404", 1],
    ["connect ECONNREFUSED", 2],
  ])("after %j there are %i attempts", async (message, attempts) => {
    const world = fakeWorld({ token: () => "t" });
    world.sluice.subscribe();
    await settled();
    world.socket.emit("error", { message });
    world.socket.closeWith(1006);
    await world.environment.advance(1_000);
    expect(world.sockets).toHaveLength(attempts);
  });

  it("does not wait for ever for a token function", async () => {
    let asked = 0;
    const world = fakeWorld({ token: () => ((asked += 1) === 1 ? new Promise<string>(() => {}) : "t") });
    world.sluice.subscribe();
    await settled();
    await world.environment.advance(30_000);
    expect(world.sluice.status).toMatchObject({ state: "reconnecting", why: "token() gave no token" });
    await world.environment.advance(1_000);
    expect(world.sockets).toHaveLength(1);
  });

  it("takes an error for the end where no close follows, as with the WebSocket of Node 22", async () => {
    const world = fakeWorld();
    world.sluice.subscribe();
    await settled();
    world.socket.emit("error", { message: "" });
    await world.environment.advance(1_000);
    expect(world.sluice.status).toMatchObject({ state: "reconnecting", code: 1006 });
    world.socket.closeWith(1006);
    await world.environment.advance(1_000);
    expect(world.sockets).toHaveLength(2);
  });

  it("waits as long as a WebSocket of one's own says that the server asks for, and tells what it told", async () => {
    const world = fakeWorld();
    world.sluice.subscribe();
    await settled();
    const error = Object.assign(new Error("busy"), { status: 503, retryAfterMs: 9_000 });
    world.socket.emit("error", { message: error.message, error });
    world.socket.closeWith(1006);
    expect(world.sluice.status).toMatchObject({ state: "reconnecting", why: "busy", code: 1006, cause: error });
    await world.environment.advance(8_999);
    expect(world.sockets).toHaveLength(1);
    await world.environment.advance(1);
    expect(world.sockets).toHaveLength(2);
  });

  it("asks for another token after a refusal, naming the refused one, and gives up with a fixed one", async () => {
    const tokens = ["a", "b"];
    const refusals: (string | undefined)[] = [];
    const world = fakeWorld({
      token: (refused) => {
        refusals.push(refused);
        return tokens.shift() ?? "c";
      },
    });
    world.sluice.subscribe();
    await settled();
    world.socket.closeWith(1008, "Authentication failed");
    await world.environment.advance(1_000);
    expect(world.socket.protocols[1]).toMatch(/\.Yg$/);
    expect(refusals).toEqual([undefined, "a"]);
    const fixed = fakeWorld({ token: "a" });
    fixed.sluice.subscribe();
    await settled();
    fixed.socket.closeWith(4401, "Token expired");
    expect(fixed.sluice.status).toMatchObject({
      state: "ended",
      reason: "token",
      why: "Token expired (4401)",
      code: 4401,
    });
  });
});

describe("a living connection", () => {
  it("answers pings at once, and gives up a server that is silent", async () => {
    const world = await live();
    world.socket.takeSent();
    world.socket.receive({ type: "ping", timestamp: "", seq: 1 });
    expect(world.socket.takeSent(["pong"])).toEqual([{ type: "pong" }]);
    await world.environment.advance(32_000);
    expect(world.socket.takeSent(["ping"])).toHaveLength(1);
    await world.environment.advance(10_000);
    expect(world.socket.asked).toEqual(["terminate"]);
    expect(world.sluice.status).toMatchObject({ state: "reconnecting", why: "the server has gone silent" });
  });

  it("gives up a handshake that nobody answers, with close where there is no terminate", async () => {
    const world = fakeWorld();
    world.sluice.subscribe();
    await settled();
    Object.assign(world.socket, { terminate: undefined });
    await world.environment.advance(10_000);
    expect(world.socket.asked).toEqual(["close "]);
    // What the old socket still says is heard no more.
    world.socket.greet();
    expect(world.sluice.status.state).toBe("reconnecting");
  });

  it("measures round trip and skew", async () => {
    const world = await live();
    const [ping] = world.socket.takeSent(["ping"]);
    expect(ping).toBeUndefined();
    await world.environment.advance(32_000);
    const [probe] = world.socket.takeSent(["ping"]);
    await world.environment.advance(100);
    const server_time = new Date(world.environment.wall() + 1_950).toISOString();
    world.socket.receive({ type: "pong", timestamp: probe?.["timestamp"] as number, server_time });
    expect(world.sluice.counters).toMatchObject({ roundTripMs: 100, skewMs: 2_000 });
  });

  it("hands in a new token before the old one expires, and asks again while there is none", async () => {
    const tokens = ["a", "a", new Error("offline"), "b", "c"];
    const world = await live({
      token: () => {
        const token = tokens.shift();
        if (token instanceof Error) throw token;
        return token ?? "z";
      },
    });
    world.socket.receive({ type: "token_expiring", expires_at: "" });
    await settled();
    await world.environment.advance(10_000);
    expect(world.socket.takeSent()).toEqual([]);
    await world.environment.advance(10_000);
    expect(world.socket.takeSent()).toEqual([{ type: "refresh", id: "refresh", token: "b" }]);
    world.socket.receive({ type: "error", id: "refresh", code: "AUTH_FAILED", message: "no" });
    await world.environment.advance(10_000);
    expect(world.socket.takeSent()).toEqual([{ type: "refresh", id: "refresh", token: "c" }]);
  });

  it("says that it lives also while holds come and go faster than the heartbeat", async () => {
    const world = fakeWorld({ bufferEvents: 4 });
    const subscription = world.sluice.subscribe({ events: ["A"] });
    await settled();
    await goLive(world, 10);
    world.socket.events(11, 12);
    await subscription.next();
    await subscription.next();
    await settled();
    expect(world.socket.asked).toEqual(["pause", "resume"]);
    world.socket.takeSent();
    await world.environment.advance(30_000);
    expect(world.socket.takeSent(["pong"])).toEqual([{ type: "pong" }]);
    await world.environment.advance(29_000);
    expect(world.socket.takeSent(["pong"])).toEqual([]);
  });

  it("is held while a consumer is slow, says that it lives, and goes on", async () => {
    const world = fakeWorld({ bufferEvents: 4 });
    const subscription = world.sluice.subscribe({ events: ["A"] });
    await settled();
    await goLive(world, 10);
    world.socket.events(11, 12);
    expect([world.socket.asked, world.sluice.status]).toEqual([
      ["pause"],
      { state: "lagging", pending: 2, lagMs: undefined },
    ]);
    world.socket.takeSent();
    await world.environment.advance(300_000);
    expect(world.socket.takeSent(["pong", "ping"])).toEqual(Array.from({ length: 10 }, () => ({ type: "pong" })));
    await subscription.next();
    await settled();
    expect([world.socket.asked, world.sluice.status.state]).toEqual([["pause", "resume"], "live"]);
  });

  it("tells how far behind the server says that it is", async () => {
    const world = await live();
    const told: Status[] = [];
    world.sluice.onStatus((status) => told.push(status));
    world.socket.receive({ type: "lag", state: "paused", pending: 800, lag_ms: 20 });
    world.socket.receive({ type: "lag", state: "resumed", pending: 500, lag_ms: 2 });
    expect(told).toEqual([{ state: "live" }, { state: "lagging", pending: 800, lagMs: 20 }, { state: "live" }]);
  });
});

describe("in a page", () => {
  const listeners = new Map<string, () => void>();
  const page = { visibilityState: "visible" };

  afterEach(() => vi.unstubAllGlobals());

  function stubPage(): void {
    vi.stubGlobal("document", page);
    vi.stubGlobal("addEventListener", (type: string, listener: () => void, { signal }: { signal: AbortSignal }) => {
      listeners.set(type, listener);
      signal.addEventListener("abort", () => listeners.delete(type));
    });
  }

  it("cuts a wait short when the network is back, and doubts a living server", async () => {
    stubPage();
    const world = await live();
    world.socket.takeSent();
    listeners.get("online")?.();
    expect(world.socket.takeSent(["ping"])).toHaveLength(1);
    world.socket.closeWith(1006);
    listeners.get("online")?.();
    await settled();
    expect(world.sockets).toHaveLength(2);
    world.sluice.close();
    expect(listeners.size).toBe(0);
  });

  it("saves cursors when the page is hidden", async () => {
    stubPage();
    const saved: [string, unknown][] = [];
    const world = fakeWorld({
      cursorStore: { load: () => undefined, save: (name, cursor) => void saved.push([name, cursor]) },
    });
    collect(world.sluice.subscribe({ events: ["A"], name: "mine" }));
    await settled();
    await goLive(world, 10);
    world.socket.receive({ type: "ping", timestamp: "", seq: 12 });
    page.visibilityState = "hidden";
    listeners.get("visibilitychange")?.();
    page.visibilityState = "visible";
    expect(saved).toEqual([["mine", { seq: 12, epoch: "e1" }]]);
  });
});
