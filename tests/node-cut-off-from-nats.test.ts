// A node loses its way to NATS, packets and all, while its clients still reach it: it acknowledges nothing, says that it is
// not ready, keeps its clients, and when the way is back they get everything in order. The node is in a network namespace
// of its own. `SLUICE_CUT_MS=30000` for the long form.
import { setTimeout as pause } from "node:timers/promises";
import {
  eventually,
  FarHost,
  hasNatsServer,
  mint,
  NatsCluster,
  numberedEvents,
  publish,
  publisherToken,
  RawClient,
  request,
  spawnService,
  startServer,
  toNdjson,
  within,
  type EventFrame,
} from "@sluice/testkit";
import { describe, expect, it } from "vitest";

const cutMs = Number(process.env["SLUICE_CUT_MS"] ?? 5000);
const clients = 20;
/** Events that others publish meanwhile, and between two publishes. */
const batchEvents = 20;
const batchMs = 250;
/** Not ready within 3 s, and twice that on a loaded machine. */
const unreadyMs = 6000;
const backMs = 60_000;
const stream = "CUT";

// Installed by tools/install-nats.sh; without it there is nothing to try this on.
describe.runIf(hasNatsServer)("a node that is cut off from NATS", () => {
  it("acknowledges nothing, keeps its clients, and goes on in order", { timeout: 200_000 }, async (context) => {
    using far = FarHost.make();
    if (far === undefined) return context.skip("no network namespace can be made here");
    await using nats = await NatsCluster.start(3, far.secondNearAddress);
    await using near = await startServer({
      log: { engine: "jetstream" },
      nats: { servers: nats.urls, stream, node: "near" },
    });
    await using service = await spawnService({
      under: far.prefix,
      settings: {
        "server.host": far.address,
        "log.engine": "jetstream",
        "nats.servers": nats.urls.join(","),
        "nats.stream": stream,
        "nats.node": "far",
      },
    });
    const watchers: RawClient[] = [];
    try {
      for (let n = 0; n < clients; n += 1) {
        const client = await RawClient.connect(service.url, { token: mint(), query: "policy=replay" });
        client.send({ type: "subscribe", events: ["*"] });
        await client.next("subscribed");
        watchers.push(client);
      }
      const first = await publish(near.url, numberedEvents(batchEvents));
      for (const client of watchers) await client.events(batchEvents);

      const cutAt = performance.now();
      far.lose(far.secondNearAddress);
      const body = toNdjson(numberedEvents(5, 100_000));
      const headers = { "content-type": "application/x-ndjson" };
      const send = { method: "POST", token: publisherToken(), headers, body };
      let answeredAt: number | undefined;
      const pending = request(service.url, "/api/v1/events", send).then((answer) => {
        answeredAt = performance.now();
        return answer;
      });
      await eventually(
        "the node to say that it is not ready",
        async () => ((await request(service.url, "/readyz")).status === 503 ? true : undefined),
        unreadyMs,
      );
      const unreadyAfter = performance.now() - cutAt;
      let batches = 0;
      for (; performance.now() - cutAt < cutMs; batches += 1) {
        await publish(near.url, numberedEvents(batchEvents, (batches + 1) * 1000));
        await pause(batchMs);
      }
      const early = answeredAt === undefined ? undefined : await pending;
      expect(early?.status, "of a publish while it was cut off").not.toBe(202);
      for (const client of watchers) {
        expect(await client.next("lag"), "what clients are told").toMatchObject({ state: "stalled" });
        expect(client.webSocket.readyState, "clients stay").toBe(client.webSocket.OPEN);
      }

      const backAt = performance.now();
      far.find(far.secondNearAddress);
      let answer = await within("the publish to be answered", pending, backMs);
      for (; answer.status !== 202; await pause(batchMs)) {
        answer = await request(service.url, "/api/v1/events", send);
        expect(performance.now() - backAt).toBeLessThan(backMs);
      }
      const last = await publish(near.url, numberedEvents(1, 200_000));
      const total = (batches + 1) * batchEvents + 5 + 1;
      expect(last.last_seq - first.first_seq + 1, "everything is stored once").toBe(total);
      for (const client of watchers) {
        const isLast = ({ type, seq }: { type: string; seq?: unknown }): boolean =>
          type === "event" && seq === last.last_seq;
        const frames = await client.until("the newest event", isLast, backMs);
        expect(frames.filter(({ type }) => type === "gap")).toEqual([]);
        const seqs = frames.filter(({ type }) => type === "event").map((frame) => (frame as EventFrame).seq);
        const missed = first.last_seq + 1;
        expect(seqs).toEqual(Array.from({ length: total - batchEvents }, (_, index) => missed + index));
      }
      const recovered = performance.now() - backAt;
      process.stdout.write(
        `cut off for ${cutMs} ms: not ready after ${Math.round(unreadyAfter)} ms, ${clients} clients stayed, ` +
          `${total} events in order, all there ${Math.round(recovered)} ms after the way was back\n`,
      );
    } finally {
      await Promise.all(watchers.map((client) => client[Symbol.asyncDispose]()));
    }
  });
});
