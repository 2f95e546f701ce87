import fc from "fast-check";
import type { IncomingHttpHeaders } from "node:http";
import { describe, expect, it } from "vitest";
import { findToken, offeredSubprotocols, selectSubprotocol, type FoundToken } from "./find-token.js";

const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";
const other = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJiIn0.c2ln";
const k8s = (token: string) => `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
const named = (place: "authorization" | "subprotocol" | "query", token = jwt): FoundToken => ({
  kind: "token",
  token,
  place,
});
const refused = (reason: "more_than_one" | "malformed" | "place_not_allowed"): FoundToken => ({
  kind: "refused",
  reason,
});
const none: FoundToken = { kind: "none" };

/** A request as Node hands it over: of several `Authorization` headers only the first is in `headers`. */
function request(rawHeaders: readonly string[], url = "/ws") {
  const headers: IncomingHttpHeaders = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    const value = rawHeaders[i + 1] ?? "";
    if (name === "sec-websocket-protocol" && headers[name] !== undefined) headers[name] += `, ${value}`;
    else headers[name] ??= value;
  }
  return { headers, rawHeaders: [...rawHeaders], url };
}

const protocols = (...offered: string[]) => ["Sec-WebSocket-Protocol", offered.join(", ")];
const authorization = (value: string) => ["Authorization", value];

describe("findToken", () => {
  const cases: [what: string, headers: readonly string[], url: string, found: FoundToken][] = [
    ["nothing at all", [], "/ws", none],
    ["Authorization: Bearer", authorization(`Bearer ${jwt}`), "/ws", named("authorization")],
    ["the scheme in any case", authorization(`bEARER ${jwt}`), "/ws", named("authorization")],
    ["several blanks after the scheme", authorization(`Bearer   ${jwt} `), "/ws", named("authorization")],
    [
      "an opaque token with every allowed character",
      authorization("Bearer aZ0-._~+/=="),
      "/ws",
      named("authorization", "aZ0-._~+/=="),
    ],
    ["the scheme alone", authorization("Bearer"), "/ws", refused("malformed")],
    ["an empty token", authorization("Bearer "), "/ws", refused("malformed")],
    ["two tokens in one header", authorization(`Bearer ${jwt}, Bearer ${other}`), "/ws", refused("malformed")],
    ["a token with a blank", authorization("Bearer a b"), "/ws", refused("malformed")],
    ["a quoted token", authorization(`Bearer "${jwt}"`), "/ws", refused("malformed")],
    ["another scheme", authorization("Basic dTpw"), "/ws", none],
    ["a scheme that begins with bearer", authorization(`BearerX ${jwt}`), "/ws", none],
    ["another scheme and a query token", authorization("Basic dTpw"), `/ws?token=${jwt}`, named("query")],
    [
      "Authorization twice",
      [...authorization(`Bearer ${jwt}`), ...authorization(`Bearer ${other}`)],
      "/ws",
      refused("more_than_one"),
    ],
    [
      "Authorization twice, the same",
      [...authorization(`Bearer ${jwt}`), ...authorization(`Bearer ${jwt}`)],
      "/ws",
      refused("more_than_one"),
    ],
    [
      "Authorization twice, one of another scheme",
      [...authorization("Basic x"), ...authorization(`Bearer ${jwt}`)],
      "/ws",
      refused("more_than_one"),
    ],
    ["the seed's subprotocol", protocols("bearer", jwt), "/ws", named("subprotocol")],
    ["the seed's after ours", protocols("sluice.v1", "bearer", jwt), "/ws", named("subprotocol")],
    ["the seed's before ours", protocols("bearer", jwt, "sluice.v1"), "/ws", named("subprotocol")],
    ["bearer with nothing after it", protocols("sluice.v1", "bearer"), "/ws", refused("malformed")],
    ["bearer before our own name", protocols("bearer", "sluice.v1"), "/ws", refused("malformed")],
    ["bearer with an empty neighbour", protocols("bearer", ""), "/ws", refused("malformed")],
    ["a token that is the word bearer", protocols("bearer", "bearer"), "/ws", named("subprotocol", "bearer")],
    ["the seed's twice", protocols("bearer", jwt, "bearer", other), "/ws", refused("more_than_one")],
    ["Kubernetes' subprotocol", protocols("sluice.v1", k8s(jwt)), "/ws", named("subprotocol")],
    ["Kubernetes' alone", protocols(k8s(jwt)), "/ws", named("subprotocol")],
    [
      "Kubernetes' in a second header",
      [...protocols("sluice.v1"), ...protocols(k8s(jwt))],
      "/ws",
      named("subprotocol"),
    ],
    ["Kubernetes' with padding", protocols(`${k8s("abcd")}==`), "/ws", refused("malformed")],
    [
      "Kubernetes' in plain base64",
      protocols("base64url.bearer.authorization.k8s.io.+/+/"),
      "/ws",
      refused("malformed"),
    ],
    ["Kubernetes' with nothing in it", protocols("sluice.v1", k8s("")), "/ws", refused("malformed")],
    ["Kubernetes' around a line end", protocols("sluice.v1", k8s("a\r\nX: y")), "/ws", refused("malformed")],
    ["Kubernetes' around non-ASCII", protocols("sluice.v1", k8s("tökén")), "/ws", refused("malformed")],
    ["both subprotocol forms", protocols("sluice.v1", k8s(jwt), "bearer", jwt), "/ws", refused("more_than_one")],
    ["our subprotocol only", protocols("sluice.v1"), "/ws", none],
    ["someone else's subprotocol", protocols("graphql-transport-ws"), "/ws", none],
    ["?token=", [], `/ws?token=${jwt}`, named("query")],
    ["?token= among others", [], `/ws?policy=replay&token=${jwt}&max_messages=5`, named("query")],
    ["?token= percent-encoded", [], "/ws?token=a%2Fb%2B%3D", named("query", "a/b+=")],
    ["?token= empty", [], "/ws?token=", refused("malformed")],
    ["?token= twice", [], `/ws?token=${jwt}&token=${jwt}`, refused("more_than_one")],
    ["?Token= is another parameter", [], `/ws?Token=${jwt}`, none],
    ["?token= with a line end", [], "/ws?token=a%0d%0ab", refused("malformed")],
    ["token in the path", [], `/ws/token=${jwt}`, none],
    ["?ticket=", [], "/ws?ticket=abc-_", { kind: "ticket", ticket: "abc-_" }],
    ["?ticket= empty", [], "/ws?ticket=", refused("malformed")],
    ["?ticket= twice", [], "/ws?ticket=a&ticket=b", refused("more_than_one")],
    ["ticket and query token", [], `/ws?ticket=a&token=${jwt}`, refused("more_than_one")],
    ["ticket and Authorization", authorization(`Bearer ${jwt}`), "/ws?ticket=a", refused("more_than_one")],
    ["Authorization and query", authorization(`Bearer ${jwt}`), `/ws?token=${jwt}`, refused("more_than_one")],
    [
      "Authorization and subprotocol",
      [...authorization(`Bearer ${jwt}`), ...protocols("bearer", jwt)],
      "/ws",
      refused("more_than_one"),
    ],
    ["a good one and a malformed one", authorization(`Bearer ${jwt}`), "/ws?token=", refused("more_than_one")],
    [
      "in all places",
      [...authorization(`Bearer ${jwt}`), ...protocols("bearer", jwt, k8s(jwt))],
      `/ws?token=${jwt}&ticket=a`,
      refused("more_than_one"),
    ],
  ];
  it.each(cases)("%s", (_what, headers, url, found) => {
    expect(findToken(request(headers, url), { queryToken: true })).toEqual(found);
  });

  it("refuses a query token where it is switched off, and takes the others", () => {
    const off = { queryToken: false };
    expect(findToken(request([], `/ws?token=${jwt}`), off)).toEqual(refused("place_not_allowed"));
    expect(findToken(request([], "/ws?ticket=a"), off)).toEqual({ kind: "ticket", ticket: "a" });
    expect(findToken(request(authorization(`Bearer ${jwt}`)), off)).toEqual(named("authorization"));
    expect(findToken(request(authorization(`Bearer ${jwt}`), `/ws?token=${jwt}`), off)).toEqual(
      refused("more_than_one"),
    );
  });

  it("takes a request without a URL as one without a query", () => {
    expect(findToken({ headers: {}, rawHeaders: [], url: undefined }, { queryToken: true })).toEqual(none);
  });

  it("finds what was put in any one place, and refuses any two", () => {
    const token = fc.stringMatching(/^[A-Za-z0-9._-]{1,60}$/).filter((text) => text !== "sluice.v1");
    const places = fc.subarray(["authorization", "bearer", "k8s", "query"] as const, { minLength: 1 });
    fc.assert(
      fc.property(token, places, (text, chosen) => {
        const offered = ["sluice.v1"];
        if (chosen.includes("bearer")) offered.push("bearer", text);
        if (chosen.includes("k8s")) offered.push(k8s(text));
        const headers = [
          ...protocols(...offered),
          ...(chosen.includes("authorization") ? authorization(`Bearer ${text}`) : []),
        ];
        const found = findToken(request(headers, chosen.includes("query") ? `/ws?token=${text}` : "/ws"), {
          queryToken: true,
        });
        if (chosen.length > 1) expect(found).toEqual(refused("more_than_one"));
        else expect(found).toMatchObject({ kind: "token", token: text });
      }),
    );
  });
});

describe("selectSubprotocol", () => {
  const cases: [what: string, offered: string[], answer: string | undefined][] = [
    ["nothing offered", [], undefined],
    ["ours", ["sluice.v1"], "sluice.v1"],
    ["ours after a token", ["bearer", jwt, "sluice.v1"], "sluice.v1"],
    ["ours with Kubernetes' token first", [k8s(jwt), "sluice.v1"], "sluice.v1"],
    ["the seed's form alone: the word, not the token", ["bearer", jwt], "bearer"],
    ["a token alone", [jwt], undefined],
    ["Kubernetes' token alone", [k8s(jwt)], undefined],
    ["someone else's", ["mqtt"], undefined],
    ["another version of ours", ["sluice.v2"], undefined],
  ];
  it.each(cases)("%s", (_what, offered, answer) => expect(selectSubprotocol(offered)).toBe(answer));

  it("reads the offer from the header", () => {
    expect(offeredSubprotocols({ "sec-websocket-protocol": "sluice.v1,bearer ,\tx" })).toEqual([
      "sluice.v1",
      "bearer",
      "x",
    ]);
    expect(offeredSubprotocols({})).toEqual([]);
  });
});
