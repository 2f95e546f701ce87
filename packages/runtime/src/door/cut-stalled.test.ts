import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cutStalled } from "./cut-stalled.js";

const stallMs = 250;
/** More than kernels take. */
const large = Buffer.alloc(32 * 1_048_576);
const small = large.subarray(0, 4 * 1_048_576);
const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

let server: Server;
let client: Socket;
let near: Socket;
let responses: ServerResponse[];

beforeEach(async () => {
  responses = [];
  server = createServer((_request, response) => void responses.push(response));
  cutStalled(server, stallMs);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => {});
  [near] = (await once(server, "connection")) as [Socket];
});

afterEach(() => {
  client.destroy();
  server.closeAllConnections();
  server.close();
});

async function nextResponse(): Promise<ServerResponse> {
  const asked = once(server, "request");
  client.write(get);
  await asked;
  return responses.at(-1) as ServerResponse;
}

describe("cutStalled", () => {
  it("cuts who takes nothing of an answer, of the first and of a later one", async () => {
    (await nextResponse()).end("one");
    await once(client, "data");
    client.pause();
    const response = await nextResponse();
    const closed = Promise.all([once(response, "close"), once(near, "close")]);
    response.end(large);
    await closed;
    expect(near.destroyed).toBe(true);
  });

  it("lets wait who waits for an answer, or for more of one, and who reads", async () => {
    const response = await nextResponse();
    // Node's own listener for the socket's silence tells the answer.
    await once(response, "timeout");
    response.write("begins ");
    await once(response, "timeout");
    let received = 0;
    client.on("data", (chunk) => (received += chunk.length));
    response.end(small);
    await once(response, "finish");
    await expect.poll(() => received).toBeGreaterThan(small.length);
    expect(near.destroyed).toBe(false);
  });
});
