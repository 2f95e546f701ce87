import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalizeTimestamp } from "./event-timestamp.js";

describe("normalizeTimestamp", () => {
  it.each([
    ["2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00.000Z"],
    ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"],
    ["2026-01-31t12:00:00z", "2026-01-31T12:00:00.000Z"],
    ["2026-01-31t12:00:00.000Z", "2026-01-31T12:00:00.000Z"],
    ["2026-01-31T12:00:00.1Z", "2026-01-31T12:00:00.100Z"],
    ["2026-01-31T12:00:00.123999999Z", "2026-01-31T12:00:00.123Z"],
    ["2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000Z"],
    ["2026-01-31T23:30:00-05:30", "2026-02-01T05:00:00.000Z"],
    ["2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00.000Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
    ["2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"],
    ["0050-06-01T00:00:00Z", "0050-06-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
    ["0000-01-01T00:00:00+00:00", "0000-01-01T00:00:00.000Z"],
    ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"],
    ["2017-01-01T00:59:60.5+01:00", "2017-01-01T00:00:00.500Z"],
    ["2016-12-31T23:59:60.250Z", "2017-01-01T00:00:00.250Z"],
  ])("%s is %s", (given, expected) => {
    expect(normalizeTimestamp(given)).toBe(expected);
  });

  it.each([
    "",
    "now",
    "2026-01-31",
    "2026-01-31T12:00:00",
    "2026-01-31 12:00:00Z",
    "2026-01-31T12:00Z",
    "2026-01-31T12:00:00.Z",
    "2026-1-31T12:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-32T00:00:00Z",
    "2026-04-31T00:00:00.000Z",
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T12:60:00Z",
    "2026-01-31T12:00:61Z",
    "2026-01-31T12:00:60Z",
    "2026-01-31T12:00:60.000Z",
    "2026-01-31T12:00:00+24:00",
    "2026-01-31T12:00:00+01:60",
    "2026-01-31T12:00:00+0100",
    "0000-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "+02026-01-31T12:00:00Z",
    "2026-01-31T12:00:00Z\n",
    "２026-01-31T12:00:00Z",
  ])("%j is refused", (given) => {
    expect(normalizeTimestamp(given)).toBeUndefined();
  });

  it.each([[1769860800000], [null], [undefined], [{}], [new Date(0)]])("%j is refused", (given) => {
    expect(normalizeTimestamp(given)).toBeUndefined();
  });

  it("names the same instant as Date does, whatever the offset", () => {
    const years = { min: new Date("0001-01-01T00:00:00Z"), max: new Date("9998-12-31T00:00:00Z"), noInvalidDate: true };
    fc.assert(
      fc.property(fc.date(years), fc.integer({ min: -1439, max: 1439 }), (date, offsetMinutes) => {
        const local = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
        const minutes = Math.abs(offsetMinutes);
        const hhmm = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
        expect(normalizeTimestamp(`${local}${offsetMinutes < 0 ? "-" : "+"}${hhmm}`)).toBe(date.toISOString());
      }),
    );
  });
});
