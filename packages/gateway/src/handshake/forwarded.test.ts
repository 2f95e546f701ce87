import { describe, expect, it } from "vitest";
import { subprotocolsWithoutTokens } from "./offered-subprotocols.js";
import { extensionNames } from "./dial-backend.js";
import { forwardedTarget } from "./forwarded-target.js";
import { traceHeaders } from "./trace-context.js";
import { acceptFor } from "./websocket-accept.js";

it.each([
  ["/ws", "http://a/", "/ws"],
  ["/ws?token=x", "http://a/", "/ws"],
  ["/ws?a=1&token=x&b=2", "http://a/base/", "/base/ws?a=1&b=2"],
  ["/ws?t%6Fken=x&ticket=y&a=%20", "http://a", "/ws?a=%20"],
  ["/ws?a=1?token=2&token", "http://a", "/ws?a=1?token=2"],
])("%s before %s becomes %s", (target, upstream, expected) => {
  expect(forwardedTarget(target, new URL(upstream))).toBe(expected);
});

it.each([
  [[], []],
  [["sluice.v1"], ["sluice.v1"]],
  [["bearer", "the-token"], []],
  [
    ["a", "bearer", "the-token", "b"],
    ["a", "b"],
  ],
  [["sluice.v1", "base64url.bearer.authorization.k8s.io.eA"], ["sluice.v1"]],
])("of the subprotocols %j a backend is offered %j", (offered, expected) => {
  expect(subprotocolsWithoutTokens(offered)).toEqual(expected);
});

describe("trace context", () => {
  const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  it("is continued with a span of our own", () => {
    const { traceparent, tracestate } = traceHeaders({ traceparent: parent, tracestate: "a=1" });
    expect(traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    expect([traceparent === parent, tracestate]).toEqual([false, "a=1"]);
  });
  it.each([undefined, "00-0-0-0", parent.replace("0af7651916cd43dd8448eb211c80319c", "0".repeat(32)), `${parent}-x`])(
    "begins here where there is none or a broken one: %s",
    (traceparent) => {
      const headers = traceHeaders({ ...(traceparent === undefined ? {} : { traceparent }), tracestate: "a=1" });
      expect(headers["traceparent"]).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-00$/);
      expect(headers).not.toHaveProperty("tracestate");
    },
  );
});

it("extensions are told apart by name", () => {
  expect(extensionNames("permessage-deflate; client_max_window_bits, X-Odd ;a=1,")).toEqual([
    "permessage-deflate",
    "x-odd",
  ]);
});

it("the accept key is that of RFC 6455 §1.3", () => {
  expect(acceptFor("dGhlIHNhbXBsZSBub25jZQ==")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});
