import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { freePort } from "./free-port.js";

it("takes the first port when it is free, else the next one that is", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const other = await freePort("127.0.0.1", port);
  expect(other).toBeGreaterThan(port);
  server.close();
  await once(server, "close");
  expect(await freePort("127.0.0.1", port)).toBe(port);
});
