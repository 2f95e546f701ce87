// What a token does not allow comes on no path: subscribing, wildcards, resuming, history, streams, tickets, publishing,
// administration, and after a change of the token. On each path secrets are published, and none may be seen.
import { adminToken, mint, publish, publisherToken, RawClient, RawSocket, request, type Frame } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doors, errorsOf, type Door } from "./doors.js";

const narrow = { sub: "narrow", events: ["GPU_*"], clusters: ["c-1"] };
const token = mint(narrow);
const secret = "not-for-you";

/** What is published: the first is allowed, of the others nothing may be seen. */
const published = [
  { event_type: "GPU_UPDATE", cluster_id: "c-1", payload: "for you" },
  { event_type: "GPU_UPDATE", cluster_id: "c-2", payload: secret },
  { event_type: "GPU_UPDATE", payload: secret },
  { event_type: "ALERT_FIRED", cluster_id: "c-1", payload: secret },
  { event_type: "GPU", cluster_id: "c-1", payload: secret },
  { event_type: "GPU_UPDATE", cluster_id: "c-10", payload: secret },
  { event_type: "gpu_update", cluster_id: "c-1", payload: secret },
];
const last = { event_type: "GPU_LAST", cluster_id: "c-1", payload: "the end" };

type Row = readonly [what: string, because: string, members: object];
const forbidden: readonly Row[] = [
  ["another name", "protocol §9", { events: ["ALERT_FIRED"] }],
  ["everything", "protocol §3, §9: a wildcard is no narrower than its name", { events: ["*"] }],
  ["a wider prefix", "protocol §9", { events: ["GPU*"] }],
  ["a shorter prefix", "protocol §9", { events: ["G*"] }],
  ["one name of several", "protocol §3: changes nothing", { events: ["GPU_UPDATE", "ALERT_FIRED"] }],
  ["the name in another case", "protocol §3", { events: ["gpu_update"] }],
  ["another cluster", "protocol §9", { events: ["GPU_UPDATE"], clusters: ["c-2"] }],
  ["one cluster of several", "protocol §3: changes nothing", { events: ["GPU_UPDATE"], clusters: ["c-1", "c-2"] }],
  ["a cluster that begins alike", "protocol §9", { events: ["GPU_UPDATE"], clusters: ["c-10"] }],
  ["everything, from the beginning", "protocol §3", { events: ["*"], since: 0 }],
  ["another name, from the beginning", "protocol §3", { events: ["ALERT_FIRED"], since: 0 }],
  [
    "another cluster, of a foreign epoch",
    "protocol §3",
    { events: ["GPU_UPDATE"], clusters: ["c-2"], since: 0, epoch: "elsewhere" },
  ],
];

const publishing: readonly (readonly [what: string, claims: object, event: object, status: number])[] = [
  ["without the scope", {}, { event_type: "A", payload: 1 }, 403],
  ["with a scope that begins alike", { scope: "events:publishing" }, { event_type: "A", payload: 1 }, 403],
  ["with the scope in another case", { scope: "Events:Publish" }, { event_type: "A", payload: 1 }, 403],
  ["as admin only", { scope: "admin" }, { event_type: "A", payload: 1 }, 403],
  ["another name", { scope: "events:publish", events: ["GPU_*"] }, { event_type: "ALERT", payload: 1 }, 403],
  [
    "another cluster",
    { scope: "events:publish", clusters: ["c-1"] },
    { event_type: "A", cluster_id: "c-2", payload: 1 },
    403,
  ],
  ["no cluster", { scope: "events:publish", clusters: ["c-1"] }, { event_type: "A", payload: 1 }, 403],
  ["nothing allowed", { scope: "events:publish", events: [] }, { event_type: "A", payload: 1 }, 403],
  [
    "what is allowed",
    { scope: "events:publish", events: ["GPU_*"], clusters: ["c-1"] },
    { event_type: "GPU_X", cluster_id: "c-1", payload: 1 },
    202,
  ],
];

const administration: readonly (readonly [method: string, path: string])[] = [
  ["GET", "/api/v1/connections"],
  ["GET", "/api/v1/connections/00000000-0000-0000-0000-000000000000"],
  ["DELETE", "/api/v1/connections/00000000-0000-0000-0000-000000000000"],
  ["DELETE", "/api/v1/users/alice/connections"],
  ["GET", "/api/v1/subscriptions"],
];

const ofTheGateway: readonly (readonly [method: string, path: string])[] = [
  ["GET", "/api/v1/tunnels"],
  ["GET", "/api/v1/backends"],
  ["PUT", "/api/v1/backends/127.0.0.1:1/drain"],
  ["DELETE", "/api/v1/backends/127.0.0.1:1/drain"],
];

describe.each(doors)("on the %s", (name, open) => {
  let door: Door;
  beforeAll(async () => {
    door = await open();
    await publish(door.url, published);
  });
  afterAll(async () => {
    await door[Symbol.asyncDispose]();
  });

  /** Takes frames until the last event, and returns all of them. */
  async function untilLast(client: RawClient): Promise<Frame[]> {
    await publish(door.url, [...published, last]);
    const frames: Frame[] = [];
    for (;;) {
      const frame = await client.take();
      frames.push(frame);
      if (frame["event_type"] === last.event_type) return frames;
    }
  }

  function expectNoSecret(seen: unknown): void {
    const text = typeof seen === "string" ? seen : JSON.stringify(seen);
    expect(text).toContain("for you");
    expect(text).not.toContain(secret);
  }

  it.each(forbidden)(
    "subscribing to %s is FORBIDDEN, and nothing of it comes (%s)",
    async (_what, _because, members) => {
      await using client = await RawClient.connect(door.url, { token });
      await client.next("connected");
      expect(await client.ask({ id: "x", type: "subscribe", ...members })).toMatchObject({
        type: "error",
        code: "FORBIDDEN",
      });
      await client.subscribe(["GPU_UPDATE", "GPU_LAST"]);
      expectNoSecret(await untilLast(client));
    },
  );

  it.each([
    ["live", {}],
    ["from the beginning", { since: 0 }],
    ["from elsewhere", { since: 1, epoch: "of another log" }],
    ["in its cluster by name", { clusters: ["c-1"], since: 0 }],
  ])("a subscription without clusters is one to those that the token sees: %s", async (_what, members) => {
    await using client = await RawClient.connect(door.url, { token, query: "policy=replay" });
    await client.next("connected");
    client.send({ type: "subscribe", events: ["GPU_*"], ...members });
    const seen = await untilLast(client);
    expect(seen[0]).toMatchObject({ type: "subscribed", events: ["GPU_*"] });
    expectNoSecret(seen);
  });

  it.each([
    "?limit=1000&events=GPU_*",
    "?limit=1000&events=GPU_UPDATE&clusters=c-1",
    "?limit=1000&since=0&events=GPU_*",
  ])("history %s has nothing of it", async (query) => {
    const { status, text } = await request(door.url, `/api/v1/events${query}`, { token });
    expect(status).toBe(200);
    expectNoSecret(text);
  });

  it.each([
    "",
    "?events=*",
    "?events=ALERT_FIRED",
    "?events=GPU*",
    "?events=GPU_UPDATE,ALERT_FIRED",
    "?events=GPU_UPDATE&clusters=c-2",
    "?events=GPU_UPDATE&events=*",
    "?events=GPU_UPDATE&clusters=c-1,c-2",
  ])("history and stream %s are 403", async (query) => {
    for (const path of ["/api/v1/events", "/api/v1/stream"]) {
      const { status, text } = await request(door.url, path + query, { token });
      expect([path, status]).toEqual([path, 403]);
      expect(text).not.toContain(secret);
    }
  });

  it.each([{}, { "Last-Event-ID": "epoch:0" }])("a stream has nothing of it, resumed with %j", async (headers) => {
    await using raw = await RawSocket.connect(door.url);
    const lines = Object.entries({ Host: "a", Authorization: `Bearer ${token}`, ...headers });
    const head = lines.map(([header, value]) => `${header}: ${value}\r\n`).join("");
    raw.send(`GET /api/v1/stream?events=GPU_* HTTP/1.1\r\n${head}\r\n`);
    expect((await raw.head()).status).toBe(200);
    await publish(door.url, [...published, last]);
    const text = await raw.until("the last event", (bytes) => bytes.includes("GPU_LAST"));
    expectNoSecret(text.toString());
  });

  it("a ticket opens no more than its token, once, and not the other service's door", async () => {
    const { json } = await request(door.url, "/api/v1/tickets", { method: "POST", token });
    const { ticket } = json as { readonly ticket: string };
    await using client = await RawClient.connect(door.url, { query: `ticket=${ticket}` });
    await client.next("connected");
    expect(await client.ask({ id: "x", type: "subscribe", events: ["*"] })).toMatchObject({ code: "FORBIDDEN" });
    expect((await RawClient.refused(door.url, { query: `ticket=${ticket}` })).status).toBe(401);
    expect((await request(door.url, `/api/v1/events?events=GPU_*&ticket=${ticket}`)).status).toBe(401);
  });

  it.each(publishing)("publishing %s", async (_what, claims, event, status) => {
    const answer = await request(door.url, "/api/v1/events", {
      method: "POST",
      token: mint({ sub: "publisher", ...claims }),
      headers: { "content-type": "application/json" },
      body: JSON.stringify(event),
    });
    expect(answer.status).toBe(status);
  });

  it("publishing is all or nothing, and names the event", async () => {
    const mixed = [published[0], published[1]];
    const answer = await request(door.url, "/api/v1/events", {
      method: "POST",
      token: publisherToken({ events: ["GPU_*"], clusters: ["c-1"] }),
      headers: { "content-type": "application/json" },
      body: JSON.stringify(mixed),
    });
    expect([answer.status, (answer.json as { index: number }).index]).toEqual([403, 1]);
  });

  it.each(administration)("%s %s is for operators", async (method, path) => {
    const claims = [
      narrow,
      { scope: "events:publish" },
      { scope: "administrator" },
      { admin: true },
      { roles: ["admin"] },
    ];
    for (const claim of claims) {
      const { status } = await request(door.url, path, { method, token: mint(claim), headers: { "x-scope": "admin" } });
      expect([claim, status]).toEqual([claim, 403]);
    }
    expect((await request(door.url, path, { method })).status).toBe(401);
    expect((await request(door.url, path, { method, token: adminToken() })).status).not.toBe(403);
  });

  it.each(name === "gateway" ? ofTheGateway : [])("%s %s of the gateway is for operators", async (method, path) => {
    expect((await request(door.url, path, { method, token })).status).toBe(403);
    expect((await request(door.url, path, { method })).status).toBe(401);
  });

  it("a narrower token ends what it does not allow, and nothing of it comes afterwards", async () => {
    await using client = await RawClient.connect(door.url, { token: mint({ sub: "narrow" }) });
    await client.subscribe(["*"]);
    await client.subscribe(["GPU_*"]);
    client.send({ type: "refresh", token });
    await client.next("refreshed");
    const ended = await client.next("unsubscribed");
    expect(ended).toMatchObject({ reason: "forbidden", events: ["*"] });
    expectNoSecret(await untilLast(client));
  });

  it("another user's token changes nothing, however much it allows", async () => {
    await using client = await RawClient.connect(door.url, { token });
    await client.next("connected");
    const wide = mint({ sub: "admin", scope: "admin events:publish" });
    expect(await client.ask({ id: "x", type: "refresh", token: wide })).toMatchObject({ code: "AUTH_FAILED" });
    expect(await client.ask({ id: "x", type: "subscribe", events: ["*"] })).toMatchObject({ code: "FORBIDDEN" });
  });

  it("a token for nothing sees nothing", async () => {
    await using client = await RawClient.connect(door.url, { token: mint({ sub: "nobody", events: [] }) });
    await client.next("connected");
    for (const events of [["*"], ["A"], ["GPU_UPDATE"]]) {
      expect(await client.ask({ id: "x", type: "subscribe", events, since: 0 })).toMatchObject({ code: "FORBIDDEN" });
    }
  });

  it("and is as it was after all of it", async () => {
    expect((await request(door.url, "/readyz")).status).toBe(200);
    expect(errorsOf(door)).toEqual([]);
  });
});
