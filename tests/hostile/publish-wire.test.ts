// Publishes as the wire brings them: cut anywhere, one behind the other on one connection, in many forms and by many.
// What is stored is what was sent, byte for byte, for whoever may, and the answers come in order.
import { mint, publisherToken, RawSocket, request } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doors, errorsOf, type Door } from "./doors.js";

const token = publisherToken();

interface Sent {
  readonly body: string | Buffer;
  readonly path?: string;
  readonly token?: string;
  readonly contentType?: string;
  /** Sends the body in chunks of these lengths, the last one taking what is left. */
  readonly chunks?: readonly number[];
}

function rawPublish({
  body,
  path = "/api/v1/events",
  contentType = "application/json",
  chunks,
  ...more
}: Sent): Buffer {
  const bytes = Buffer.from(body);
  const head = [
    `POST ${path} HTTP/1.1`,
    "Host: localhost",
    `Authorization: Bearer ${more.token ?? token}`,
    `Content-Type: ${contentType}`,
    chunks === undefined ? `Content-Length: ${bytes.length}` : "Transfer-Encoding: chunked",
  ];
  const parts = [Buffer.from(`${head.join("\r\n")}\r\n\r\n`)];
  if (chunks === undefined) return Buffer.concat([...parts, bytes]);
  let at = 0;
  for (const length of [...chunks, bytes.length]) {
    const chunk = bytes.subarray(at, at + length);
    at += chunk.length;
    if (chunk.length > 0) parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

interface Answer {
  readonly status: number;
  readonly first: number;
  readonly accepted: number;
}

describe.each(doors)("on the %s", (_name, open) => {
  let door: Door;
  beforeAll(async () => {
    door = await open({ gateway: { limits: { handshakes_per_second: 1_000_000, handshake_burst: 1_000_000 } } });
  });
  afterAll(async () => {
    await door[Symbol.asyncDispose]();
  });

  async function answers(raw: RawSocket, count: number): Promise<Answer[]> {
    const all: Answer[] = [];
    while (all.length < count) {
      const { status, body } = await raw.head(30_000);
      const { first_seq: first = 0, accepted = 0 } = JSON.parse(body) as { first_seq?: number; accepted?: number };
      all.push({ status, first, accepted });
    }
    return all;
  }

  /** The payload of the event at each place, as the text in which it travels. */
  async function payloadTexts(firsts: readonly number[]): Promise<string[]> {
    const headers = { accept: "application/x-ndjson" };
    const page = await request(door.serviceUrl, `/api/v1/events?since=${Math.min(...firsts) - 1}`, { token, headers });
    const lines = page.text.split("\n").map((line) => /"seq":(\d+),.*?"payload":(.*)\}$/.exec(line));
    const bySeq = new Map(lines.map((line) => [Number(line?.[1]), line?.[2]]));
    return firsts.map((seq) => bySeq.get(seq) ?? "not there");
  }

  it("cut at every byte, in one connection", async () => {
    const payload = '{"é":"a\\"\\\\\\n😀 ","n":[-1.5,1e+21,0.1,{}],"__proto__":null}';
    const body = Buffer.from(`[{"event_type":"CUT","payload":${payload}}]`);
    await using raw = await RawSocket.connect(door.url);
    raw.send(Buffer.concat(Array.from(body, (_, at) => rawPublish({ body, chunks: [at, 1] }))));
    raw.send(rawPublish({ body, chunks: Array.from(body, () => 1) }));
    const all = await answers(raw, body.length + 1);
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(await payloadTexts(all.map(({ first }) => first)))).toEqual(new Set([payload]));
  });

  it("200 in one write, of all forms and lengths: none takes another's bytes, and the bad ones harm nobody", async () => {
    const sent = Array.from({ length: 200 }, (_, n) => {
      const payload = `"${String.fromCodePoint(0x61 + (n % 26)).repeat(1 + ((n * 7_919) % 6_000))}${n}"`;
      const event = `{"event_type":"MANY","payload":${payload}}`;
      const forms: readonly (Sent & { readonly status: number })[] = [
        { body: event, status: 202 },
        { body: ` [ ${event} ] `, status: 202 },
        { body: `${event}\r\n`, contentType: "application/x-ndjson", status: 202 },
        { body: event, path: "/api/v1/events?x=1", status: 202 },
        { body: event, chunks: [1, 2, 3, 1_000], status: 202 },
        { body: `\ufeff${event}`, contentType: 'application/json; charset="UTF-8"', status: 202 },
        { body: event.replace("payload", "paylo\\u0061d"), status: 202 },
        { body: event.slice(0, -1), status: 400 },
        {
          body: Buffer.concat([Buffer.from(event.slice(0, -2)), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
          status: 400,
        },
        { body: event, contentType: "application/json; charset=utf-16", status: 415 },
      ];
      return { ...(forms[n % forms.length] as (typeof forms)[number]), payload };
    });
    await using raw = await RawSocket.connect(door.url);
    raw.send(Buffer.concat(sent.map((one) => rawPublish(one))));
    const all = await answers(raw, sent.length);
    expect(all.map(({ status }) => status)).toEqual(sent.map(({ status }) => status));
    const good = sent.flatMap(({ status, payload }, n) =>
      status === 202 ? [{ payload, first: all[n]?.first ?? 0 }] : [],
    );
    expect(await payloadTexts(good.map(({ first }) => first))).toEqual(good.map(({ payload }) => payload));
  });

  it("of many bearers behind one another: each is asked for its own token", async () => {
    const claims = { sub: "narrow", scope: "events:publish", events: ["MINE"], clusters: ["c-1"] };
    const narrow = mint(claims);
    const mine = '{"event_type":"MINE","cluster_id":"c-1","payload":1}';
    const sent: readonly (readonly [Sent, number])[] = [
      [{ body: mine, token: narrow }, 202],
      [{ body: mine, token: mint({ ...claims, ttlMs: -120_000 }) }, 401],
      [{ body: mine, token: mint({ sub: "reader" }) }, 403],
      [{ body: `[${mine},{"event_type":"MINE","cluster_id":"c-2","payload":1}]`, token: narrow }, 403],
      [{ body: `[${mine},{"event_type":"MINE","payload":1}]`, token: narrow }, 403],
      [{ body: '{"event_type":"THEIRS","payload":1}', token }, 202],
      [{ body: '{"event_type":"THEIRS","cluster_id":"c-1","payload":1}', token: narrow }, 403],
      [{ body: mine.replace("MINE", "\\u004dINE"), token: narrow }, 202],
      [{ body: `${mine.slice(0, -1)},"event_type":"THEIRS"}`, token: narrow }, 403],
      [{ body: mine, token: `${narrow}x` }, 401],
      [{ body: mine, token: narrow }, 202],
    ];
    await using raw = await RawSocket.connect(door.url);
    raw.send(Buffer.concat(sent.map(([one]) => rawPublish(one))));
    const all = await answers(raw, sent.length);
    expect(all.map(({ status }) => status)).toEqual(sent.map(([, status]) => status));
    const stored = all.filter(({ status }) => status === 202).map(({ first }) => first);
    expect(Math.max(...stored) - Math.min(...stored) + 1, "nothing of what was refused is stored").toBe(stored.length);
  });

  it("that end in the middle store nothing", async () => {
    const event = '{"event_type":"HALF","payload":1}';
    const body = `[${event},${event}]`;
    for (const chunks of [undefined, [event.length + 2]]) {
      const whole = rawPublish({ body, ...(chunks && { chunks }) });
      for (const left of [1, 2, 5, event.length, body.length]) {
        await using raw = await RawSocket.connect(door.url);
        raw.send(whole.subarray(0, whole.length - left));
        await new Promise((resolve) => setImmediate(resolve));
        raw.socket.end();
        await raw.closed;
      }
    }
    const page = await request(door.serviceUrl, "/api/v1/events?events=HALF", { token });
    expect((page.json as { events: unknown[] }).events).toEqual([]);
  });

  it("and nothing of it was an error of ours", () => {
    expect(errorsOf(door)).toEqual([]);
  });
});
