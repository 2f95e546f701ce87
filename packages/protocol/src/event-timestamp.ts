// RFC 3339 date-times, brought to the one form that travels: UTC with milliseconds (protocol.md, head).

const dateTime = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** `2026-01-31T23:59:59.000Z`: what is already in this form is handed back as it is. */
const canonicalLength = 24;

const daysByMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const secondMs = 1000;
const minuteMs = 60 * secondMs;
const dayMs = 24 * 60 * minuteMs;

/** The first and the last millisecond that four digits of year can name. */
const earliestMs = Date.parse("0000-01-01T00:00:00.000Z");
const latestMs = Date.parse("9999-12-31T23:59:59.999Z");

/** The grammar in words, for error messages. */
export const timestampGrammar = "an RFC 3339 date-time with an offset, such as 2026-01-31T12:00:00Z";

/**
 * The same instant as `2026-01-31T12:00:00.000Z`, or undefined when `value` is no RFC 3339 date-time (RFC 3339 §5.6;
 * the offset is required, `T` and `Z` may be in lower case). Digits past the millisecond are cut off, not rounded. A
 * leap second (RFC 3339 §5.7: 60, at the end of a UTC day) becomes the second after it, as in POSIX time.
 */
export function normalizeTimestamp(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const match = dateTime.exec(value);
  if (match === null) return undefined;
  const [, yearText, monthText, dayText, hourText, minuteText, secondText, fraction, sign] = match;
  const [year, month, day] = [Number(yearText), Number(monthText), Number(dayText)];
  const [hour, minute, second] = [Number(hourText), Number(minuteText), Number(secondText)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  if (value.length === canonicalLength && value.endsWith("Z") && value[10] === "T" && second < 60) return value;

  const offsetMs = sign === undefined ? 0 : offset(sign, Number(match[9]), Number(match[10]));
  if (offsetMs === undefined) return undefined;
  const milliseconds = Number((fraction ?? "").slice(0, 3).padEnd(3, "0"));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, milliseconds);
  const time = date.getTime() - offsetMs;
  if (second === 60 && positiveRemainder(time, dayMs) >= secondMs) return undefined;
  if (time < earliestMs || time > latestMs) return undefined;
  return new Date(time).toISOString();
}

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (daysByMonth[month - 1] ?? 0);
}

function offset(sign: string, hours: number, minutes: number): number | undefined {
  if (hours > 23 || minutes > 59) return undefined;
  return (sign === "-" ? -1 : 1) * (hours * 60 + minutes) * minuteMs;
}

function positiveRemainder(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
