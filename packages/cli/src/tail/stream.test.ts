import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { serverAddress } from "../arguments/server-address.js";
import type { TokenSource } from "../arguments/token-source.js";
import { Stream, type StreamOptions } from "./stream.js";
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
  cluster_id: "c-1",
  timestamp: "t",
  payload: seq,
});
const token = (text?: string): TokenSource => ({ name: "--token", renews: false, read: () => Promise.resolve(text) });

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
      else if (command["type"] === "ping") return;
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

function tokenOf({ request }: Peer): string {
  const offered = request.headers["sec-websocket-protocol"] ?? "";
  return Buffer.from(offered.slice(offered.lastIndexOf(".") + 1), "base64url").toString();
}

describe("Stream", () => {
  const open: { service: Scripted; stream?: Stream }[] = [];
  afterEach(() => {
    for (const { service, stream } of open.splice(0)) {
      stream?.stop();
      service.server.close().closeAllConnections();
    }
  });

  async function follow(options: Partial<StreamOptions> = {}, refusal?: string) {
    const service = new Scripted();
    service.refusal = refusal;
    const address = await service.listen();
    const events: number[] = [];
    const notices: StreamNotice[] = [];
    const stream = new Stream({
      address,
      token: token("secret-token"),
      events: ["A", "B*"],
      clusters: ["c-1"],
      onEvent({ seq }) {
        events.push(seq);
        return undefined;
      },
      onNotice: (notice) => notices.push(notice),
      ...options,
    });
    open.push({ service, stream });
    const ended = stream.run();
    const arrived = async (count: number): Promise<void> => vi.waitFor(() => expect(events).toHaveLength(count));
    return { service, stream, ended, events, notices, arrived };
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

  it("connects without a token in the address, and subscribes", async () => {
    const { service } = await follow({ policy: "replay", maxMessages: 50 });
    const { peer, subscribe } = await greet(service);
    expect(peer.request.url).toBe("/ws?policy=replay&max_messages=50");
    expect(peer.request.headers["sec-websocket-protocol"]).toMatch(/^sluice\.v1,base64url\.bearer\./);
    expect(subscribe).toMatchObject({ type: "subscribe", events: ["A", "B*"], clusters: ["c-1"] });
    expect(subscribe).not.toHaveProperty("since");
  });

  it("leaves the policy to the service unless one is asked for", async () => {
    const { service } = await follow();
    expect((await service.next()).request.url).toBe("/ws");
  });

  it("hands on events, answers pings, and ends when told", async () => {
    const { service, stream, ended, events, arrived } = await follow();
    const { peer } = await greet(service);
    peer.say(event(11));
    peer.say({ type: "novelty" });
    peer.say({ type: "ping", timestamp: "t", seq: 11 });
    await vi.waitFor(() => expect(peer.pongs).toHaveLength(1));
    await arrived(1);
    expect(events).toEqual([11]);
    stream.stop();
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
    expect(notices).toContainEqual(expect.objectContaining({ kind: "lost", why: "the connection was lost" }));
    await vi.waitFor(() => expect(notices.at(-1)).toMatchObject({ kind: "subscribed", seq: 10 }));
    expect(notices.filter(({ kind }) => kind === "subscribed")).toHaveLength(2);
  });

  it("says when the log is another one than that of the position", async () => {
    const { service, notices } = await follow({ start: { seq: 5, epoch: "old" } });
    await greet(service, "new");
    await vi.waitFor(() => expect(notices.map(({ kind }) => kind)).toEqual(["other-log", "subscribed", "gap"]));
  });

  it("comes back when the draining service asks for it", async () => {
    const { service, notices } = await follow();
    const { peer } = await greet(service);
    peer.say({ type: "disconnect", reason: "server_shutdown", reconnect_after_ms: 40 });
    peer.socket.close(1012, "Service restart");
    await greet(service);
    const lost = notices.find(({ kind }) => kind === "lost");
    expect(lost).toMatchObject({ why: "the server closed the connection: Service restart (1012)" });
    expect((lost as { retryInMs: number }).retryInMs).toBeLessThanOrEqual(40);
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
    expect(tokenOf(second.peer)).toBe("second");
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
    const refuse = async (): Promise<void> => {
      const { id } = await peer.command();
      peer.say({ type: "error", id, code, message: "no" });
    };
    // Asked for one by one after that, to find the one that is to blame.
    for (let asked = 0; asked < 3; asked += 1) await refuse();
    expect(await ended).toEqual(end);
  });

  it("goes on with what the token still allows, and ends when that is nothing", async () => {
    const { service, ended, notices } = await follow();
    const { peer } = await greet(service);
    peer.say({ type: "unsubscribed", events: ["A"], reason: "forbidden" });
    await vi.waitFor(() => expect(notices.at(-1)).toEqual({ kind: "unsubscribed", events: ["A"], clusters: [] }));
    peer.say({ type: "unsubscribed", events: ["B*"], reason: "forbidden" });
    expect(await ended).toMatchObject({ kind: "no-permission" });
  });

  it("tells of gaps, lag, the live end and other errors", async () => {
    const { service, notices } = await follow();
    const { peer } = await greet(service);
    peer.say({ type: "gap", reason: "overflow", from_seq: 11, to_seq: 12, dropped: 2 });
    peer.say({ type: "lag", state: "paused", pending: 800, lag_ms: 5 });
    peer.say({ type: "error", code: "RATE_LIMITED", message: "slowly" });
    await vi.waitFor(() =>
      // The gap stands where it is among the events; the others are told as they come.
      expect(notices.map(({ kind }) => kind)).toEqual(["subscribed", "lag", "server-error", "gap"]),
    );
  });

  it("waits with the next event for what the last one asks for", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const seen: number[] = [];
    const { service } = await follow({
      onEvent({ seq }) {
        seen.push(seq);
        return seq === 11 ? held : undefined;
      },
    });
    const { peer } = await greet(service);
    for (const seq of [11, 12]) peer.say(event(seq));
    await vi.waitFor(() => expect(seen).toEqual([11]));
    release();
    await vi.waitFor(() => expect(seen).toEqual([11, 12]));
  });

  it("goes on while the token's file can't be read, and ends when it needs it", async () => {
    let isThere = true;
    const read = (): Promise<string> => (isThere ? Promise.resolve("t") : Promise.reject(new Error("is not there")));
    const { service, ended, notices } = await follow({ token: { name: "file", renews: true, read } });
    const { peer } = await greet(service);
    isThere = false;
    peer.say({ type: "token_expiring", expires_at: "soon" });
    await vi.waitFor(() => expect(notices.at(-1)).toMatchObject({ kind: "server-error", code: "TOKEN_FILE" }));
    peer.socket.terminate();
    await expect(ended).rejects.toThrow("is not there");
  });

  it("hands on nothing after it was stopped, whatever still comes", async () => {
    const stopper: { stream?: Stream } = {};
    const seen: number[] = [];
    const { service, stream, ended } = await follow({
      onEvent: ({ seq }) => {
        seen.push(seq);
        if (seq === 12) stopper.stream?.stop();
        return undefined;
      },
    });
    stopper.stream = stream;
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
      const { ended, notices } = await follow({ retryForMs: 1_500 }, answer("503 Service Unavailable"));
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
