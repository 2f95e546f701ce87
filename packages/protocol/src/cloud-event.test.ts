import { describe, expect, it } from "vitest";
import { hasCloudEventHeaders, parseCloudEvent, readCloudEventHeaders } from "./cloud-event.js";

const rules = { payloadBytesMax: 100, receivedAt: "2026-01-31T12:00:00.000Z" };
const base = { specversion: "1.0", id: "1", source: "/sensors", type: "GPU_UPDATE" };
const name = "must be 1 to 128 of A-Z a-z 0-9 _ . : -";

describe("parseCloudEvent", () => {
  it("maps the attributes, and ignores those that have no place in an event", () => {
    const given = {
      ...base,
      time: "2026-01-31T13:00:00+01:00",
      subject: "gpu0",
      clusterid: "c-1",
      data: { t: 70 },
      datacontenttype: "application/json",
      dataschema: "https://example.com/schema",
      traceparent: "00-0-0-00",
    };
    expect(parseCloudEvent(given, rules)).toEqual({
      ok: true,
      event: {
        eventId: "1",
        eventType: "GPU_UPDATE",
        clusterId: "c-1",
        timestamp: "2026-01-31T12:00:00.000Z",
        source: "/sensors",
        subject: "gpu0",
        payloadText: '{"t":70}',
      },
    });
  });

  it.each([
    [{}, "null"],
    [{ data: null }, "null"],
    [{ data: "text", datacontenttype: "text/plain" }, '"text"'],
    [{ data: false }, "false"],
    [{ data_base64: "AAEC" }, '{"data_base64":"AAEC"}'],
    [{ data_base64: "AA==" }, '{"data_base64":"AA=="}'],
    [{ data_base64: "AAE=" }, '{"data_base64":"AAE="}'],
    [{ data_base64: "" }, '{"data_base64":""}'],
    [{ data_base64: null, data: 1 }, "1"],
    [{ time: null, subject: null, clusterid: null }, "null"],
  ])("takes %j as the payload %s", (data, payloadText) => {
    expect(parseCloudEvent({ ...base, ...data }, rules)).toMatchObject({ ok: true, event: { payloadText } });
  });

  it.each([
    [null, undefined, "must be a JSON object"],
    [[base], undefined, "must be a JSON object"],
    [{ ...base, specversion: undefined }, "specversion", "is required"],
    [{ ...base, id: undefined }, "id", "is required"],
    [{ ...base, id: null }, "id", "is required"],
    [{ ...base, source: undefined }, "source", "is required"],
    [{ ...base, type: undefined }, "type", "is required"],
    [{ ...base, specversion: "0.3" }, "specversion", 'must be "1.0"'],
    [{ ...base, specversion: 1 }, "specversion", 'must be "1.0"'],
    [{ ...base, type: "com/example" }, "type", name],
    [{ ...base, clusterid: "c 1" }, "clusterid", name],
    [
      { ...base, id: "" },
      "id",
      "must be a string of 1 to 256 characters, without control characters or lone surrogates",
    ],
    [
      { ...base, source: "" },
      "source",
      "must be a string of 1 to 1024 characters, without control characters or lone surrogates",
    ],
    [
      { ...base, subject: "" },
      "subject",
      "must be a string of 1 to 1024 characters, without control characters or lone surrogates",
    ],
    [{ ...base, time: "noon" }, "time", "must be an RFC 3339 date-time with an offset, such as 2026-01-31T12:00:00Z"],
    [{ ...base, data: 1, data_base64: "AAEC" }, "data_base64", "must not stand beside data"],
    [{ ...base, data_base64: "AAE" }, "data_base64", "must be base64, padded (RFC 4648 §4)"],
    [{ ...base, data_base64: "A===" }, "data_base64", "must be base64, padded (RFC 4648 §4)"],
    [{ ...base, data_base64: "AA-_" }, "data_base64", "must be base64, padded (RFC 4648 §4)"],
    [{ ...base, data_base64: 7 }, "data_base64", "must be base64, padded (RFC 4648 §4)"],
    [{ ...base, data: Infinity }, "data", "holds a number outside the range of IEEE 754 double (RFC 8259 §6)"],
  ])("refuses %j, naming %s", (value, field, problem) => {
    expect(parseCloudEvent(value, rules)).toEqual({ ok: false, reason: "invalid-event", field, problem });
  });

  it("names the form of the data in which the payload is too large", () => {
    const tooLarge = { ok: false, reason: "payload-too-large" };
    expect(parseCloudEvent({ ...base, data: "a".repeat(99) }, rules)).toMatchObject({ ...tooLarge, field: "data" });
    const data_base64 = "A".repeat(100);
    expect(parseCloudEvent({ ...base, data_base64 }, rules)).toMatchObject({ ...tooLarge, field: "data_base64" });
  });

  it("reads a long data_base64 in one pass", () => {
    const data_base64 = "A".repeat(2 ** 23);
    expect(parseCloudEvent({ ...base, data_base64 }, { ...rules, payloadBytesMax: 2 ** 24 })).toMatchObject({
      ok: true,
    });
  });
});

describe("readCloudEventHeaders", () => {
  it.each([
    ["plain", "plain"],
    ["Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["%e2%82%ac", "€"],
    ["100%25", "100%"],
    ["a%2520b", "a%20b"],
    ['"a b"', "a b"],
    [String.raw`"a \"b\" \\ %20"`, 'a "b" \\  '],
    ['"half', '"half'],
    ["", ""],
  ])("decodes %j as %j", (header, value) => {
    expect(readCloudEventHeaders({ "ce-subject": header })).toEqual({ ok: true, attributes: { subject: value } });
  });

  it.each(["100%", "%zz", "%C0%A0", "%ff", "caf\u00e9", "a\u0001"])("refuses %j", (header) => {
    expect(readCloudEventHeaders({ "ce-subject": header })).toEqual({
      ok: false,
      field: "ce-subject",
      problem: "must be given once, in percent-encoded UTF-8",
    });
  });

  it("refuses a header given twice", () => {
    expect(readCloudEventHeaders({ "ce-id": ["1", "2"] })).toMatchObject({ ok: false, field: "ce-id" });
  });

  it("takes the attributes of the mapping and no others", () => {
    const headers = {
      "ce-specversion": "1.0",
      "ce-id": "1",
      "ce-source": "/s",
      "ce-type": "T",
      "ce-time": "2026-01-31T12:00:00Z",
      "ce-clusterid": "c-1",
      "ce-traceparent": "%zz",
      "ce-__proto__": "x",
      "content-type": "application/json",
    };
    expect(readCloudEventHeaders(headers)).toEqual({
      ok: true,
      attributes: {
        specversion: "1.0",
        id: "1",
        source: "/s",
        type: "T",
        time: "2026-01-31T12:00:00Z",
        clusterid: "c-1",
      },
    });
  });
});

describe("hasCloudEventHeaders", () => {
  it("knows a CloudEvent by any attribute that all of them have", () => {
    expect(hasCloudEventHeaders({ "ce-type": "T" })).toBe(true);
    expect(hasCloudEventHeaders({ "ce-subject": "s", "content-type": "application/json" })).toBe(false);
  });
});
