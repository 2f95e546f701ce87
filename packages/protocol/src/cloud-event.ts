// CloudEvents 1.0 as a publisher sends them, mapped to Sluice's event (protocol.md §8). Bodies and bytes are the
// endpoint's business; here are attributes and data that have been decoded.

import { checkEventFields, invalid, isRecord } from "./published-event.js";
import type { EventFieldNames, EventParse, EventRules } from "./published-event.js";

const specVersion = "1.0";

/** The names of a CloudEvent. */
export const cloudEventFieldNames: EventFieldNames = {
  eventType: "type",
  clusterId: "clusterid",
  eventId: "id",
  timestamp: "time",
  source: "source",
  subject: "subject",
  payload: "data",
};

/** The attributes that CloudEvents §3.1 requires. */
const required = ["specversion", "id", "source", "type"] as const;

const requiredHeaders = required.map((name) => `ce-${name}`);

const attributes = [...required, "time", "subject", "clusterid"] as const;

/** What stands in base64 only by mistake (RFC 4648 §4). One search, so that a long text costs no backtracking. */
const notBase64 = /[^A-Za-z0-9+/]/;

/**
 * Reads a CloudEvent in the JSON format. `type`, `id`, `time`, `source`, `subject` and the extension `clusterid` become
 * the event's fields; `data` becomes the payload as it is, null when there is none. Binary data cannot be a JSON value,
 * so `data_base64` becomes the payload `{"data_base64":"…"}`. Other attributes, `datacontenttype` and `dataschema` among
 * them, have no place in Sluice's event and are ignored. A null attribute counts as absent (JSON format §2.1).
 */
export function parseCloudEvent(value: unknown, rules: EventRules): EventParse {
  if (!isRecord(value)) return invalid(undefined, "must be a JSON object");
  for (const name of required) {
    if (value[name] === undefined || value[name] === null) return invalid(name, "is required");
  }
  if (value.specversion !== specVersion) return invalid("specversion", `must be "${specVersion}"`);
  const binary = value.data_base64 ?? undefined;
  if (binary !== undefined) {
    if (value.data !== undefined) return invalid("data_base64", "must not stand beside data");
    if (!isBase64(binary)) return invalid("data_base64", "must be base64, padded (RFC 4648 §4)");
  }
  return checkEventFields(
    {
      eventType: value.type,
      clusterId: value.clusterid,
      eventId: value.id,
      timestamp: value.time,
      source: value.source,
      subject: value.subject,
      payload: binary === undefined ? (value.data ?? null) : { data_base64: binary },
    },
    binary === undefined ? cloudEventFieldNames : { ...cloudEventFieldNames, payload: "data_base64" },
    rules,
  );
}

function isBase64(value: unknown): boolean {
  if (typeof value !== "string" || value.length % 4 !== 0) return false;
  const padding = value.endsWith("==") ? 2 : Number(value.endsWith("="));
  return !notBase64.test(value.slice(0, value.length - padding));
}

/** The headers of an HTTP request, names in lower case. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whether the headers are those of a CloudEvent in binary mode: one of the attributes that every CloudEvent has. */
export function hasCloudEventHeaders(headers: HttpHeaders): boolean {
  return requiredHeaders.some((name) => headers[name] !== undefined);
}

/** The attributes as `parseCloudEvent` takes them, or the header that cannot be decoded. */
export type CloudEventHeaders =
  | { readonly ok: true; readonly attributes: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly field: string; readonly problem: string };

/**
 * The attributes in the headers of binary mode: `ce-<name>`, unquoted and then percent-decoded once (CloudEvents HTTP
 * binding §3.1.3.2). Only attributes that the mapping uses are looked at. Refused: a header given twice, a character
 * outside printable ASCII, a `%` without two hexadecimal digits, bytes that are no UTF-8.
 */
export function readCloudEventHeaders(headers: HttpHeaders): CloudEventHeaders {
  const found: Record<string, string> = {};
  for (const name of attributes) {
    const field = `ce-${name}`;
    const header = headers[field];
    if (header === undefined) continue;
    const value = typeof header === "string" ? decodeHeader(header) : undefined;
    if (value === undefined) return { ok: false, field, problem: "must be given once, in percent-encoded UTF-8" };
    found[name] = value;
  }
  return { ok: true, attributes: found };
}

const printableAscii = /^[\t\x20-\x7e]*$/;
/** RFC 9110 §5.6.4. */
const quotedString = /^"((?:[^"\\]|\\.)*)"$/;

function decodeHeader(header: string): string | undefined {
  if (!printableAscii.test(header)) return undefined;
  const quoted = quotedString.exec(header)?.[1];
  const text = quoted === undefined ? header : quoted.replaceAll(/\\(.)/g, "$1");
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
