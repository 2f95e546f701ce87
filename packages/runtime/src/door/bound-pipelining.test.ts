import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { boundPipelining, isAnswering, pipelinedMax } from "./bound-pipelining.js";

interface Taken {
  readonly path: string;
  readonly body: string;
  readonly response: ServerResponse;
}

/** What fits into one read beside those that are waited for. */
const readBytes = 65_536;

let server: Server;
let client: Socket;
let taken: Taken[];
let received: string;

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  taken.push({ path: request.url ?? "", body, response });
}

beforeEach(async () => {
  taken = [];
  received = "";
  server = createServer((request, response) => void take(request, response).catch(() => {}));
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    void take(request, response).catch(() => {});
  });
  boundPipelining(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => {});
  client.on("data", (chunk) => (received += chunk.toString("latin1")));
  await once(client, "connect");
});

afterEach(() => {
  client.destroy();
  server.closeAllConnections();
  server.close();
});

const post = (n: number, body: string, head = ""): string =>
  `POST /${n} HTTP/1.1\r\nHost: a\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`;
const paths = (): readonly string[] => received.match(/(?<=answer )\/\d+/g) ?? [];
const answerAll = (): void => {
  for (const { path, response } of taken.splice(0)) response.end(`answer ${path} `);
};

/** Waits until nothing changes any more. */
async function settled(): Promise<void> {
  for (let calm = 0, before = -1; calm < 5;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    calm = taken.length === before ? calm + 1 : 0;
    before = taken.length;
  }
}

describe("boundPipelining", () => {
  it.each(["", "Expect: 100-continue\r\n"])(
    "holds the requests of about one read, and takes the others as it answers (%j)",
    async (head) => {
      const one = post(1, "{}", head);
      const count = 5_000;
      client.write(Array.from({ length: count }, (_, n) => post(n, "{}", head)).join(""));
      await settled();
      expect(taken.length).toBeGreaterThanOrEqual(pipelinedMax);
      expect(taken.length).toBeLessThan(pipelinedMax + (2 * readBytes) / one.length);
      while (paths().length < count && !client.destroyed) {
        answerAll();
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(paths()).toEqual(Array.from({ length: count }, (_, n) => `/${n}`));
    },
    30_000,
  );

  it.each([pipelinedMax - 1, pipelinedMax, pipelinedMax + 1])("takes a large body behind %i others", async (others) => {
    const body = "x".repeat(1_000_000);
    for (let n = 0; n < others; n += 1) client.write(post(n, ""));
    client.write(post(others, body));
    await settled();
    answerAll();
    await expect.poll(() => taken.at(-1)?.body.length, { timeout: 10_000 }).toBe(body.length);
    answerAll();
    await expect.poll(() => paths().length, { timeout: 10_000 }).toBe(others + 1);
  });

  it("lets a client go that is held", async () => {
    client.write(post(1, "").repeat(5_000));
    await settled();
    client.destroy();
    answerAll();
    await expect.poll(() => new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).toBe(0);
  });

  it("closes those that wait behind another with their connection, each once", async () => {
    const closes: string[] = [];
    const close = (path: string): void => void closes.push(path);
    server.prependListener("request", ({ url = "" }: IncomingMessage, response) =>
      response.on("close", () => close(url)),
    );
    for (let n = 0; n < 4; n += 1) client.write(post(n, ""));
    await settled();
    const [first, second, third] = taken as [Taken, Taken, Taken];
    first.response.end("done");
    third.response.end("waits for the second");
    await expect.poll(() => closes).toEqual(["/0"]);
    client.destroy();
    await expect.poll(() => closes.length).toBe(4);
    expect(new Set(closes)).toEqual(new Set(["/0", "/1", "/2", "/3"]));
    expect(third.response.destroyed).toBe(true);
    second.response.end("nobody hears it");
    third.response.write("nor this", () => {});
    await settled();
    expect(closes).toHaveLength(4);
  });

  it("knows of answers that are to come, of one that has its turn and of those that wait for it", async () => {
    client.write(post(0, "") + post(1, ""));
    await settled();
    const [first, second] = taken as [Taken, Taken];
    const { socket } = first.response;
    if (socket === null) throw new Error("the first has its turn");
    expect(isAnswering(socket)).toBe(true);
    second.response.end("answer /1 ");
    expect(isAnswering(socket)).toBe(true);
    first.response.end("answer /0 ");
    await expect.poll(() => paths().length).toBe(2);
    expect(isAnswering(socket)).toBe(false);
  });
});
