import { describe, expect, it } from "vitest";
import { draftOf, draftsOf, logOptionsOf } from "../contract/log-under-test.js";
import { hasNatsServer, startNatsServer } from "../contract/nats-under-test.js";
import { openJetStreamLog } from "./jetstream-log.js";
import { nextMatch } from "./next-match.js";
import { filterSubject } from "./stored-message.js";

const place = { stream: "LOG", prefix: "log", replicas: 1, storage: "memory", publishRetryMs: 10_000 } as const;

describe.runIf(hasNatsServer)("the next event of a subject", () => {
  it("is found by type, by cluster and by both, or known not to be there", async () => {
    await using server = await startNatsServer();
    const nats = await server.connect();
    const log = await openJetStreamLog({ ...logOptionsOf(), ...place, nats });
    await log.append([...draftsOf(1, 9), draftOf(10, { eventType: "ALERT", clusterId: "c.9" }), ...draftsOf(11, 9)]);
    const find = (only: { eventType?: string; clusterId?: string }, after: number, until: number) =>
      nextMatch(nats, "LOG", filterSubject("log", only), { after, until });
    expect(await find({ eventType: "ALERT" }, 0, 19)).toBe(10);
    expect(await find({ clusterId: "c.9" }, 0, 19)).toBe(10);
    expect(await find({ eventType: "ALERT", clusterId: "c.9" }, 9, 19)).toBe(10);
    expect(await find({ eventType: "ALERT" }, 10, 19), "none after it").toBe(20);
    expect(await find({ eventType: "ALERT" }, 0, 5), "none up to there").toBe(6);
    expect(await find({ eventType: "ALERT" }, 0, 20), "the end is not known to the server").toBeUndefined();
    await log.close();
  });
});
