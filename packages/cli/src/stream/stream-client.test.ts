import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { serverAddress } from "../arguments/server-address.js";
import type { TokenSource } from "../arguments/token-source.js";
import { ReconnectBackoff } from "./reconnect-backoff.js";
import { StreamClient, type StreamClientOptions } from "./stream-client.js";
import type { StreamNotice } from "./stream-notice.js";

type Json = Readonly<Record<string, unknown>>;

/** One connection as the scripted service sees it. */
interface Peer {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** The next command that is no pong. */
  command(): Promise<Json>;
  /** Pongs that came. */
  readonly pongs: Json[];
  say(frame: Json): void;
}

const heartbeat = { interval_ms: 30_000, timeout_ms: 10_000, max_missed: 3 };
const connected = (epoch = "e", rhythm: Json = heartbeat): Json => ({
  type: "connected",
  connection_id: "x",
  user_id: "alice",
  epoch,
  seq: 10,
  heartbeat: rhythm,
});
const event = (seq: number): Json => ({
  type: "event",
  seq,
  event_id: String(seq),
  event_type: "A",
  timestamp: "t",
  payload: seq,
});
const token = (text?: string): TokenSource => ({ name: "--token", renews: false, read: () => Promise.resolve(text) });

/** Waits without jitter are too long for a test. */
class NoWait extends ReconnectBackoff {
  override next(): number {
    super.next();
    return 1;
  }
}

/** A service that does what the test tells it to. */
class Scripted {
  readonly server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #waiting: ((peer: Peer) => void)[] = [];
  readonly #peers: Peer[] = [];
  /** Answers upgrades in place of a handshake while set; a whole HTTP response. */
  refusal: string | undefined;

  constructor() {
    this.server = createServer();
    this.server.on("upgrade", (request, socket, head) => {
      if (this.refusal !== undefined) {
        socket.end(this.refusal);
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#arrive(webSocket, request));
    });
  }

  async listen(): Promise<URL> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return serverAddress(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}`);
  }

  next(): Promise<Peer> {
    const peer = this.#peers.shift();
    return peer === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(peer);
  }

  #arrive(socket: WebSocket, request: IncomingMessage): void {
    const commands: Json[] = [];
    const waiting: ((command: Json) => void)[] = [];
    const pongs: Json[] = [];
    socket.on("error", () => undefined);
    socket.on("message", (data) => {
      const command = JSON.parse((data as Buffer).toString()) as Json;
      if (command["type"] === "pong") pongs.push(command);
      else (waiting.shift() ?? ((one: Json) => commands.push(one)))(command);
    });
    const peer: Peer = {
      socket,
      request,
      pongs,
      command: () => {
        const command = commands.shift();
        return command === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(command);
      },
      say: (frame) => socket.send(JSON.stringify(frame)),
    };
    (this.#waiting.shift() ?? ((one: Peer) => this.#peers.push(one)))(peer);
  }
}

describe("StreamClient", () => {
  const open: { service: Scripted; client?: StreamClient }[] = [];
  afterEach(() => {
    for (const { service, client } of open.splice(0)) {
      client?.stop();
      service.server.close().closeAllConnections();
    }
  });

  async function follow(options: Partial<StreamClientOptions> = {}, refusal?: string) {
    const service = new Scripted();
    service.refusal = refusal;
    const address = await service.listen();
    const events: string[] = [];
    const notices: StreamNotice[] = [];
    const client = new StreamClient({
      address,
      token: token("secret-token"),
      events: ["A", "B*"],
      clusters: ["c-1"],
      backoff: new NoWait(),
      onEvent: (_event, text) => events.push(text),
      onNotice: (notice) => notices.push(notice),
      ...options,
    });
    open.push({ service, client });
    const ended = client.run();
    const arrived = async (count: number): Promise<void> => vi.waitFor(() => expect(events).toHaveLength(count));
    return { service, client, ended, events, notices, arrived };
  }

  /** Takes the connection as far as its subscription. */
  async function greet(
    service: Scripted,
    epoch = "e",
    rhythm: Json = heartbeat,
  ): Promise<{ peer: Peer; subscribe: Json }> {
    const peer = await service.next();
    peer.say(connected(epoch, rhythm));
    const subscribe = await peer.command();
    peer.say({ type: "subscribed", id: subscribe["id"], events: subscribe["events"], clusters: [], seq: 10 });
    return { peer, subscribe };
  }

  it("connects with the token in its header alone, and subscribes", async () => {
    const { service } = await follow({ policy: "replay", maxMessages: 50 });
    const { peer, subscribe } = await greet(service);
    expect(peer.request.url).toBe("/ws?policy=replay&max_messages=50");
    expect(peer.request.headers.authorization).toBe("Bearer secret-token");
    expect(peer.request.headers["sec-websocket-protocol"]).toBe("sluice.v1");
    expect(subscribe).toEqual({ type: "subscribe", id: "tail", events: ["A", "B*"], clusters: ["c-1"] });
  });

  it("hands on each event as it came, answers pings, and ends when told", async () => {
    const { service, client, ended, events, arrived } = await follow();
    const { peer } = await greet(service);
    const text = '{"type":"event", "seq":11,"event_id":"a","event_type":"A","timestamp":"t","payload":1.0}';
    peer.socket.send(text);
    peer.say({ type: "novelty" });
    peer.say({ type: "ping", timestamp: "t", seq: 11 });
    await vi.waitFor(() => expect(peer.pongs).toHaveLength(1));
    await arrived(1);
    expect(events).toEqual([text]);
    client.stop();
    expect(await ended).toEqual({ kind: "stopped" });
  });

  it("resumes behind the last position, heartbeats counted", async () => {
    const { service, notices, arrived } = await follow();
    const first = await greet(service);
    first.peer.say(event(12));
    first.peer.say({ type: "ping", timestamp: "t", seq: 20 });
    await arrived(1);
    await vi.waitFor(() => expect(first.peer.pongs).toHaveLength(1));
    first.peer.socket.terminate();
    const { subscribe } = await greet(service);
    expect(subscribe).toMatchObject({ since: 20, epoch: "e" });
    expect(notices).toContainEqual({ kind: "lost", why: "the connection was lost", retryInMs: 1 });
    await vi.waitFor(() => expect(notices.at(-1)).toMatchObject({ kind: "subscribed", resumedAfter: 20 }));
  });

  it("begins where it was asked to, and says when the log is another one", async () => {
    const { service, notices } = await follow({ start: { since: 5, epoch: "old" } });
    const { subscribe } = await greet(service, "new");
    expect(subscribe).toMatchObject({ since: 5, epoch: "old" });
    await vi.waitFor(() => expect(notices[0]).toEqual({ kind: "other-log" }));
  });

  it("comes back when the draining service asks for it", async () => {
    const { service, notices } = await follow();
    const { peer } = await greet(service);
    peer.say({ type: "disconnect", reason: "server_shutdown", reconnect_after_ms: 40 });
    peer.socket.close(1012, "Service restart");
    await greet(service);
    expect(notices.find(({ kind }) => kind === "lost")).toEqual({
      kind: "lost",
      why: "the server closed the connection: Service restart (1012)",
      retryInMs: 40,
    });
  });

  it.each([
    [4403, "Revoked", { kind: "refused", why: "the server closed the connection: Revoked (4403)" }],
    [1008, "Policy violation", { kind: "refused", why: "the server closed the connection: Policy violation (1008)" }],
    [4401, "Token expired", { kind: "no-permission", why: "the server closed the connection: Token expired (4401)" }],
  ])("ends at %i %s", async (code, reason, end) => {
    const { service, ended } = await follow();
    const { peer } = await greet(service);
    peer.socket.close(code, reason);
    expect(await ended).toEqual(end);
  });

  it("comes back with a token that was renewed, and ends when it is still the same", async () => {
    let current = "first";
    const renewing: TokenSource = { name: "file", renews: true, read: () => Promise.resolve(current) };
    const { service, ended } = await follow({ token: renewing });
    const first = await greet(service);
    current = "second";
    first.peer.socket.close(4401, "Token expired");
    const second = await greet(service);
    expect(second.peer.request.headers.authorization).toBe("Bearer second");
    second.peer.socket.close(4401, "Token expired");
    expect(await ended).toMatchObject({ kind: "no-permission" });
  });

  it("hands in a renewed token before the old one expires", async () => {
    let current = "first";
    const renewing: TokenSource = { name: "file", renews: true, read: () => Promise.resolve(current) };
    const { service, notices } = await follow({ token: renewing });
    const { peer } = await greet(service);
    current = "second";
    peer.say({ type: "token_expiring", expires_at: "soon" });
    expect(await peer.command()).toEqual({ type: "refresh", id: "refresh", token: "second" });
    peer.say({ type: "refreshed", id: "refresh", expires_at: "later" });
    await vi.waitFor(() => expect(notices.at(-1)).toEqual({ kind: "token-refreshed", expiresAt: "later" }));
  });

  it.each([
    ["FORBIDDEN", { kind: "no-permission", why: "no" }],
    ["SUBSCRIPTION_LIMIT", { kind: "refused", why: "no (SUBSCRIPTION_LIMIT)" }],
  ])("ends when its subscription is answered with %s", async (code, end) => {
    const { service, ended } = await follow();
    const peer = await service.next();
    peer.say(connected());
    const { id } = await peer.command();
    peer.say({ type: "error", id, code, message: "no" });
    expect(await ended).toEqual(end);
  });

  it("goes on with what the token still allows, and ends when that is nothing", async () => {
    const { service, ended, notices } = await follow();
    const { peer } = await greet(service);
    peer.say({ type: "unsubscribed", events: ["A"], reason: "forbidden" });
    await vi.waitFor(() => expect(notices.at(-1)).toEqual({ kind: "unsubscribed", events: ["A"] }));
    peer.socket.terminate();
    const again = await greet(service);
    expect(again.subscribe["events"]).toEqual(["B*"]);
    again.peer.say({ type: "unsubscribed", events: ["B*"], reason: "forbidden" });
    expect(await ended).toMatchObject({ kind: "no-permission" });
  });

  it("tells of gaps, lag, the live end and other errors", async () => {
    const { service, notices } = await follow();
    const { peer } = await greet(service);
    peer.say({ type: "gap", reason: "overflow", from_seq: 1, to_seq: 2, dropped: 2 });
    peer.say({ type: "lag", state: "paused", pending: 800, lag_ms: 5 });
    peer.say({ type: "live", id: "tail", seq: 11 });
    peer.say({ type: "error", code: "RATE_LIMITED", message: "slowly" });
    await vi.waitFor(() =>
      expect(notices.map(({ kind }) => kind)).toEqual(["subscribed", "gap", "lag", "live", "server-error"]),
    );
  });

  it("notices a server that has fallen silent", async () => {
    let now = 0;
    const { service, notices } = await follow({ now: () => now });
    await greet(service, "e", { interval_ms: 0, timeout_ms: 0, max_missed: 3 });
    await vi.waitFor(() => expect(notices).toHaveLength(1));
    now = 2_000;
    await greet(service);
    expect(notices[1]).toMatchObject({ kind: "lost", why: "the server has been silent for 2 s" });
  });

  it("reads nothing while paused, and tells the server that it is there", async () => {
    const { service, client, events, arrived } = await follow();
    const { peer } = await greet(service, "e", { interval_ms: 20, timeout_ms: 10_000, max_missed: 3 });
    peer.say(event(11));
    await arrived(1);
    client.pause();
    peer.say(event(12));
    await vi.waitFor(() => expect(peer.pongs.length).toBeGreaterThan(1));
    expect(events).toHaveLength(1);
    client.resume();
    await arrived(2);
  });

  it("tells the server so too while pauses come and go faster than its heartbeat", async () => {
    const { service, client, arrived } = await follow();
    const { peer } = await greet(service, "e", { interval_ms: 20, timeout_ms: 10_000, max_missed: 3 });
    peer.say(event(11));
    await arrived(1);
    await vi.waitFor(
      () => {
        client.pause();
        client.resume();
        expect(peer.pongs.length).toBeGreaterThan(1);
      },
      { interval: 2, timeout: 5_000 },
    );
  });

  it("hands on nothing after it was stopped, whatever still comes", async () => {
    const stopper: { client?: StreamClient } = {};
    const seen: number[] = [];
    const { service, client, ended } = await follow({
      onEvent: ({ seq }) => {
        seen.push(seq);
        if (seq === 12) stopper.client?.stop();
      },
    });
    stopper.client = client;
    const { peer } = await greet(service);
    for (const seq of [11, 12, 13, 14]) peer.say(event(seq));
    expect(await ended).toEqual({ kind: "stopped" });
    expect(seen).toEqual([11, 12]);
  });

  describe("when the handshake is refused", () => {
    const answer = (status: string, body = "", headers = ""): string =>
      `HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`;

    it.each([
      ["401 Unauthorized", '{"detail":"The token has expired"}', "no-permission", "The token has expired (HTTP 401)"],
      ["403 Forbidden", "", "refused", "the server refused the connection (HTTP 403)"],
      ["404 Not Found", "", "refused", "there is no Sluice at this address (HTTP 404)"],
    ])("ends at %s", async (status, body, kind, why) => {
      const { ended } = await follow({}, answer(status, body));
      expect(await ended).toEqual({ kind, why });
    });

    it("comes back after 503", async () => {
      const { service, notices } = await follow({}, answer("503 Service Unavailable", "", "retry-after: 0\r\n"));
      await vi.waitFor(() => expect(notices).not.toHaveLength(0));
      service.refusal = undefined;
      await greet(service);
      expect(notices[0]).toMatchObject({ kind: "lost", why: "the server refused the connection (HTTP 503)" });
    });

    it("gives up when the next attempt would come too late", async () => {
      let now = 0;
      const { ended, notices } = await follow(
        { retryForMs: 5, now: () => now++ / 4 },
        answer("503 Service Unavailable"),
      );
      expect(await ended).toMatchObject({ kind: "gave-up", why: "the server refused the connection (HTTP 503)" });
      expect(notices.length).toBeGreaterThan(0);
    });

    it("makes no second attempt where none was asked for", async () => {
      const { ended, notices } = await follow({ retryForMs: 0 }, answer("503 Service Unavailable"));
      expect(await ended).toMatchObject({ kind: "gave-up" });
      expect(notices).toEqual([]);
    });
  });
});
