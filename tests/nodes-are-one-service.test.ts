// Several nodes on one NATS server are one service: what is published at one is delivered by all, what an operator ends
// at one ends at all, a ticket is good at any of them and once, a client goes on at another from where it stood; and
// while NATS is out of reach nobody is cut off, and everything comes afterwards.
import {
  adminToken,
  connectionsOf,
  eventually,
  hasNatsServer,
  mint,
  NatsCluster,
  numberedEvents,
  publish,
  RawClient,
  request,
  startServer,
  within,
  type EventFrame,
  type Frame,
  type TestServer,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Revocation has to reach every node within this, ms; the deadline is wider for a loaded machine. */
const everywhereMs = 5000;
/** Not ready within 3 s of losing NATS; twice that for a loaded machine. */
const unreadyMs = 6000;
const backMs = 20_000;

const sinceMs = (then: number): number => Math.round(performance.now() - then);
const told = (line: string): void => void process.stdout.write(`${line}\n`);

function takeUntil(client: RawClient, isLast: (frame: Frame) => boolean): Promise<Frame[]> {
  return client.until("the last of what was published", isLast, backMs);
}

const seqs = (frames: readonly Frame[]): number[] =>
  frames.filter(({ type }) => type === "event").map((frame) => (frame as EventFrame).seq);
const upTo = (seq: number) => (frame: Frame) => frame.type === "event" && (frame as EventFrame).seq === seq;
const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first + index);

// Installed by tools/install-nats.sh; without it there is nothing to try this on.
describe.runIf(hasNatsServer)("nodes that share a NATS server", () => {
  let nats: NatsCluster;
  let one: TestServer;
  let two: TestServer;

  const node = (name: string): Promise<TestServer> =>
    startServer({ log: { engine: "jetstream" }, nats: { servers: nats.urls, node: name, replicas: 1 } });

  beforeAll(async () => {
    nats = await NatsCluster.start(1);
    [one, two] = [await node("one"), await node("two")];
  });
  afterAll(async () => {
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
    await nats[Symbol.asyncDispose]();
  });

  it("deliver what is published at any of them, under the same seqs", async () => {
    await using atOne = await RawClient.connect(one.url, { token: mint() });
    await using atTwo = await RawClient.connect(two.url, { token: mint() });
    for (const client of [atOne, atTwo]) {
      client.send({ type: "subscribe", events: ["*"] });
      await client.next("subscribed");
    }
    const first = await publish(one.url, numberedEvents(50));
    const second = await publish(two.url, numberedEvents(50, 50));
    expect(second.first_seq).toBe(first.last_seq + 1);
    const [here, there] = await Promise.all([atOne, atTwo].map((client) => takeUntil(client, upTo(second.last_seq))));
    expect(seqs(here as Frame[])).toEqual(from(first.first_seq, 100));
    expect(seqs(there as Frame[])).toEqual(from(first.first_seq, 100));
    const again = await publish(two.url, numberedEvents(1, 49));
    expect(again, "an id of the other node's").toMatchObject({ accepted: 1 });
  });

  it("take a client that was at another from where it stood", async () => {
    await using before = await RawClient.connect(one.url, { token: mint(), query: "policy=replay" });
    const { epoch } = await before.next("connected");
    before.send({ type: "subscribe", events: ["*"] });
    await before.next("subscribed");
    const { last_seq: since } = await publish(one.url, numberedEvents(20, 1000));
    await takeUntil(before, upTo(since));
    await using after = await RawClient.connect(two.url, { token: mint(), query: "policy=replay" });
    after.send({ type: "subscribe", events: ["*"], since, epoch: epoch as string });
    const { last_seq: last } = await publish(one.url, numberedEvents(20, 2000));
    const frames = await takeUntil(after, upTo(last));
    expect(frames.filter(({ type }) => type === "gap")).toEqual([]);
    expect(seqs(frames)).toEqual(from(since + 1, 20));
    const history = await request(two.url, `/api/v1/events?since=${since}&limit=100`, { token: mint() });
    expect((history.json as { readonly events: readonly EventFrame[] }).events.map(({ seq }) => seq)).toEqual(
      from(since + 1, 20),
    );
  });

  it("answer an operator for all of them, with the node named, and end connections on all of them", async () => {
    await using atOne = await RawClient.connect(one.url, { token: mint({ sub: "mallory" }) });
    await using atTwo = await RawClient.connect(two.url, { token: mint({ sub: "mallory" }) });
    for (const client of [atOne, atTwo]) {
      client.send({ type: "subscribe", events: ["WANTED"] });
      await client.next("subscribed");
    }
    const shown = (await connectionsOf(one.url)).filter(({ user_id: user }) => user === "mallory");
    expect(new Set(shown.map(({ node: name }) => name))).toEqual(new Set(["one", "two"]));
    const counts = await request(two.url, "/api/v1/subscriptions", { token: adminToken() });
    expect(counts.json).toMatchObject({ nodes: expect.arrayContaining(["one", "two"]) as unknown, silent: [] });
    expect((counts.json as { subscriptions: unknown }).subscriptions).toContainEqual({
      event: "WANTED",
      connections: 2,
    });
    const elsewhere = shown.find(({ node: name }) => name === "two");
    const single = await request(one.url, `/api/v1/connections/${elsewhere?.connection_id}`, { token: adminToken() });
    expect(single.json).toMatchObject({ node: "two", user_id: "mallory" });
    const ended = Promise.all([atOne.closed, atTwo.closed]);
    const askedAt = performance.now();
    const answer = await request(one.url, "/api/v1/users/mallory/connections", {
      method: "DELETE",
      token: adminToken(),
    });
    expect(answer).toMatchObject({ status: 200, json: { closed: 2 } });
    const closes = await within("both connections to be ended", ended, everywhereMs);
    expect(closes.map(({ code }) => code)).toEqual([4403, 4403]);
    told(`connections on two nodes ended ${sinceMs(askedAt)} ms after an operator asked one of them`);
  });

  it("take a ticket of another node, once", async () => {
    const issue = async (): Promise<string> => {
      const { json } = await request(one.url, "/api/v1/tickets", { method: "POST", token: mint({ sub: "alice" }) });
      return (json as { readonly ticket: string }).ticket;
    };
    const ticket = await issue();
    await using client = await RawClient.connect(two.url, { query: `ticket=${ticket}` });
    expect(await client.next("connected")).toMatchObject({ user_id: "alice" });
    for (const url of [one.url, two.url]) {
      await expect(RawClient.connect(url, { query: `ticket=${ticket}` })).rejects.toMatchObject({
        refusal: { status: 401 },
      });
    }
    const raced = await issue();
    const tries = await Promise.allSettled(
      from(0, 10).map((n) => RawClient.connect(n % 2 === 0 ? one.url : two.url, { query: `ticket=${raced}` })),
    );
    const won = tries.filter((outcome) => outcome.status === "fulfilled");
    expect(won).toHaveLength(1);
    await won[0]?.value[Symbol.asyncDispose]();
  });

  it("keep their connections while NATS is gone, say so, and go on in order", { timeout: 90_000 }, async () => {
    await using client = await RawClient.connect(one.url, { token: mint(), query: "policy=replay" });
    client.send({ type: "subscribe", events: ["*"] });
    await client.next("subscribed");
    const { last_seq: before } = await publish(two.url, numberedEvents(10, 5000));
    await takeUntil(client, upTo(before));
    await nats.kill(0);
    const lostAt = performance.now();
    const ready = (): Promise<number> => request(one.opsUrl, "/readyz").then(({ status }) => status);
    await eventually("not to be ready", async () => ((await ready()) === 503 ? true : undefined), unreadyMs);
    told(`not ready ${sinceMs(lostAt)} ms after NATS was killed`);
    const [stalled] = (await takeUntil(client, ({ type }) => type === "lag")).slice(-1);
    expect(stalled).toMatchObject({ type: "lag", state: "stalled" });
    const waiting = publish(two.url, numberedEvents(30, 6000));
    await nats.startServer(0);
    const { first_seq: first, last_seq: last } = await within("the publish to be acknowledged", waiting, backMs);
    expect([first, last]).toEqual([before + 1, before + 30]);
    const frames = await takeUntil(client, upTo(last));
    expect(seqs(frames)).toEqual(from(first, 30));
    expect(frames.find(({ type }) => type === "lag")).toMatchObject({ state: "resumed" });
    await eventually("to be ready", async () => ((await ready()) === 200 ? true : undefined), backMs);
    expect(client.webSocket.readyState, "open all the while").toBe(client.webSocket.OPEN);
  });
});
