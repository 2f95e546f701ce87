// Requests that can't be answered yet, sent one behind the other by somebody whom nobody knows: the connection is read
// no further, and the process holds no more of them.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { RawSocket, request, residentBytes, spawnService } from "@sluice/testkit";
import { expect, it } from "vitest";
import { watchGrowth } from "./growth.js";
import { mib, report } from "./scale.js";

const requestsMax = 300_000;
const requestsAtOnce = 1_000;
/** Less than the issuer is waited for. */
const calmMs = 1_000;
const growthMaxMib = 40;

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = `${part({ alg: "RS256", kid: "of a key that is not known" })}.${part({ sub: "a" })}.AAAA`;
const one = `POST /api/v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Length: 0\r\n\r\n`;

it("requests with a key that an issuer who hangs would know are left in the socket", async () => {
  const issuer = createServer(() => {}).listen(0, "127.0.0.1");
  await once(issuer, "listening");
  const port = (issuer.address() as AddressInfo).port;
  await using service = await spawnService({
    settings: {
      "auth.jwks_url": `http://127.0.0.1:${port}/keys`,
      "auth.issuer": "https://id.example",
      "auth.audience": "sluice",
    },
  });
  await using raw = await RawSocket.connect(service.url);
  using growth = watchGrowth({ residentBytes: () => ({ door: residentBytes(service.pid), behind: 0 }) });
  const crowd = Buffer.from(one.repeat(requestsAtOnce));
  let sent = 0;
  for (let isTaken = true; isTaken && sent < requestsMax; sent += requestsAtOnce) {
    if (raw.socket.write(crowd)) continue;
    const drained = new Promise<boolean>((resolve) => raw.socket.once("drain", () => resolve(true)));
    const calm = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), calmMs));
    isTaken = await Promise.race([drained, calm]);
  }
  report(`${sent} requests, ${Math.round((sent * one.length) / mib)} MiB`, { "growth MiB": growth.door });
  expect(sent, "the service stops reading").toBeLessThan(requestsMax);
  expect(growth.door).toBeLessThan(growthMaxMib);
  expect((await request(service.url, "/readyz")).status).toBe(200);
  issuer.closeAllConnections();
  issuer.close();
}, 60_000);
