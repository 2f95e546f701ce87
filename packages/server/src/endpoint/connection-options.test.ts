import { policies } from "@sluice/protocol";
import { describe, expect, it } from "vitest";
import { readConnectionOptions } from "./connection-options.js";

const defaults = { policy: "drop-oldest", maxMessages: 1000 } as const;

function read(query: string): unknown {
  return readConnectionOptions(new URLSearchParams(query), defaults);
}

describe("readConnectionOptions", () => {
  it("goes by the server's where nothing is asked for", () => {
    expect(read("")).toEqual(defaults);
    expect(read("token=x&unknown=1")).toEqual(defaults);
  });

  it.each(policies)("takes the policy %s", (policy) => {
    expect(read(`policy=${policy}`)).toEqual({ ...defaults, policy });
  });

  it.each(["", "drop", "DROP-OLDEST", "constructor"])("refuses the policy %j", (policy) => {
    expect(read(`policy=${policy}`)).toMatchObject({ name: "invalid-parameter", field: "policy", allowed: policies });
  });

  it.each(["policy=replay&policy=replay", "max_messages=1&max_messages=2"])("refuses %s", (query) => {
    expect(read(query)).toMatchObject({ name: "invalid-parameter", field: query.split("=")[0] });
  });

  it.each([
    ["1", 1],
    ["999", 999],
    ["1000", 1000],
    ["1001", 1000],
    ["9999999999999999", 1000],
  ])("makes a buffer of %s one of %s", (text, maxMessages) => {
    expect(read(`max_messages=${text}`)).toEqual({ ...defaults, maxMessages });
  });

  it.each(["", "0", "-1", "1.5", "1e3", "0x10", "01", "99999999999999999"])("refuses a buffer of %j", (text) => {
    expect(read(`max_messages=${text}`)).toMatchObject({ name: "invalid-parameter", field: "max_messages" });
  });
});
