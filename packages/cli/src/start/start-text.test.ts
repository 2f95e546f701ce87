import { describe, expect, it } from "vitest";
import { paintFor } from "../terminal/paint.js";
import { type StartFacts, startText } from "./start-text.js";

const facts: StartFacts = {
  url: "http://127.0.0.1:8080",
  serviceUrl: "http://127.0.0.1:8081",
  pageUrl: "http://127.0.0.1:8082/#key=the-key",
  logDir: "data/log",
  demoIntervalMs: 1_000,
  token: "the-token",
  tokenLife: "24 h",
  isOpen: false,
  takenPort: undefined,
  program: "npx sluice",
};
const linesOf = (some: Partial<StartFacts>): string[] => startText({ ...facts, ...some }, paintFor(false)).split("\n");

describe("startText", () => {
  it("has each command on a line of its own, ready to paste", () => {
    const lines = linesOf({});
    expect(lines).toContain("npx sluice tail --url http://127.0.0.1:8080 --token the-token");
    const curl = lines.find((line) => line.startsWith("curl ")) ?? "";
    expect(curl).toContain("-H 'Authorization: Bearer the-token'");
    expect(curl.endsWith(" http://127.0.0.1:8080/api/v1/events")).toBe(true);
    const body = /-d '(.*?)'/.exec(curl)?.[1] ?? "";
    expect(JSON.parse(body)).toMatchObject({ event_type: "ALERT_FIRED" });
    expect(lines).toContain("the-token");
    expect(lines).toContain("http://127.0.0.1:8082/#key=the-key");
  });

  it("says that another port had to be taken", () => {
    expect(linesOf({ takenPort: 8080 }).join("\n")).toContain("port 8080 is taken by another program");
  });

  it("asks for no token where none is needed", () => {
    const lines = linesOf({ isOpen: true, token: undefined });
    expect(lines).toContain("npx sluice tail --url http://127.0.0.1:8080");
    expect(lines.join("\n")).not.toContain("Authorization");
  });

  it("points to the identity provider where tokens are its to make", () => {
    const text = linesOf({ token: undefined }).join("\n");
    expect(text).toContain("from your identity provider");
    expect(text).toContain("--token $SLUICE_TOKEN");
    expect(text).toContain(`"Authorization: Bearer $SLUICE_TOKEN"`);
  });

  it("says where events are, and whether the demo runs", () => {
    expect(linesOf({}).join("\n")).toContain("every 1 s");
    const text = linesOf({ logDir: undefined, demoIntervalMs: undefined }).join("\n");
    expect(text).toContain("in memory only");
    expect(text).not.toContain("METRIC_UPDATE");
  });
});
