import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { inlineScriptHashes, type PageFiles, readPageFiles } from "./page-files.js";
import { type PageServerOptions, servePage } from "./page-server.js";

const html = '<script type="importmap">{}</script>';
const files: PageFiles = new Map([["/", { mediaType: "text/html", body: Buffer.from(html) }]]);
const options: PageServerOptions = {
  files,
  serviceUrl: () => "http://127.0.0.1:8080",
  key: "the-key",
  makeToken: async () => "a-token",
  needsToken: false,
  port: 0,
};

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Heard {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(url: string, path: string, { method = "GET", headers = {} }: Asked = {}): Promise<Heard> {
  const asking = request(new URL(path, url), { method, headers }).end();
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe("servePage", () => {
  it("serves the page to this machine only, with a policy that lets it reach itself and the gateway", async () => {
    await using page = await servePage(options);
    expect(page.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#key=the-key$/);
    const { status, headers, body } = await ask(page.url, "/?x=1");
    expect([status, body, headers["content-type"]]).toEqual([200, html, "text/html"]);
    const policy = headers["content-security-policy"] ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'self' ${inlineScriptHashes(html)[0]};`);
    expect(policy).toContain("connect-src 'self' http://127.0.0.1:8080 ws://127.0.0.1:8080;");
    expect(policy).not.toContain("unsafe");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(page.origins).toContain(new URL(page.url).origin);
  });

  it("gives a token for the key only, and only when asked with POST", async () => {
    await using page = await servePage(options);
    const session = (headers: Record<string, string>, method = "POST") =>
      ask(page.url, "/session", { method, headers });
    for (const key of ["", "the-kez", "the-keys"]) {
      const { status, body } = await session(key === "" ? {} : { "x-sluice-key": key });
      expect([status, body]).toEqual([403, ""]);
    }
    expect((await session({ "x-sluice-key": "the-key" }, "GET")).status).toBe(405);
    const { status, body, headers } = await session({ "x-sluice-key": "the-key" });
    expect([status, JSON.parse(body)]).toEqual([
      200,
      { url: "http://127.0.0.1:8080", token: "a-token", needs_token: false },
    ]);
    expect(headers["cache-control"]).toBe("no-store");
  });

  it("makes up no token where none is ours to make", async () => {
    await using page = await servePage({ ...options, makeToken: undefined, needsToken: true });
    const { body } = await ask(page.url, "/session", { method: "POST", headers: { "x-sluice-key": "the-key" } });
    expect(JSON.parse(body)).toEqual({ url: "http://127.0.0.1:8080", needs_token: true });
  });

  it("refuses other names, methods and paths", async () => {
    await using page = await servePage(options);
    expect((await ask(page.url, "/", { headers: { host: "evil.example" } })).status).toBe(421);
    expect((await ask(page.url, "/", { method: "PUT" })).status).toBe(405);
    for (const path of ["/../../package.json", "/%2e%2e/x", "/client/../secret", "/nothing", "/page.js/"])
      expect([path, (await ask(page.url, path)).status]).toEqual([path, 404]);
  });

  it("asks for patience until the gateway listens", async () => {
    await using page = await servePage({ ...options, serviceUrl: () => undefined });
    expect((await ask(page.url, "/")).status).toBe(503);
  });
});

describe("readPageFiles", () => {
  it("has the page and everything that it imports, and no tests", async () => {
    const read = await readPageFiles();
    expect([...read.keys()]).toEqual(
      expect.arrayContaining(["/", "/page.js", "/page.css", "/client/index.js", "/protocol/index.js"]),
    );
    expect([...read.keys()].filter((path) => path.includes(".test."))).toEqual([]);
    expect(inlineScriptHashes(read.get("/")?.body.toString() ?? "")).toHaveLength(1);
  });
});
