// The body of a CloudEvent in binary mode (CloudEvents HTTP binding §3.1.2) as the data of its JSON format.
import { isUtf8 } from "node:buffer";
import type { EventRefusal } from "@sluice/protocol";
import type { Problem } from "@sluice/runtime";
import type { PublishForm } from "./publish-form.js";
import { decodeText, lengthProblem } from "./publish-json.js";
import type { PublishLimits } from "./publish-limits.js";
import { notUtf8, withoutByteOrderMark } from "./publish-utf8.js";

/** A publish in binary mode. */
export type BinaryForm = Extract<PublishForm, { readonly kind: "cloud-event-binary" }>;

/** The members of the JSON format that stand for the body: none, `data`, or `data_base64`. */
export interface DataMembers {
  readonly data?: unknown;
  readonly data_base64?: string;
}

/** Reads the body by its kind; an empty one is no data. */
export function readData(kind: BinaryForm["data"], body: Buffer, limits: PublishLimits): DataMembers | Problem {
  if (body.length === 0) return {};
  const tooLong = lengthProblem(body.length, 0, limits);
  if (tooLong !== undefined) return tooLong;
  if (kind === "bytes") return { data_base64: body.toString("base64") };
  if (!isUtf8(body)) return notUtf8;
  const text = withoutByteOrderMark(body);
  if (kind === "text") return { data: text.toString() };
  const decoded = decodeText(text, { start: 0, end: text.length }, 0, limits);
  return decoded.ok ? { data: decoded.value } : decoded.problem;
}

/** The refusal with the field as binary mode calls it: attributes are headers, and the body has no other name than data. */
export function inBinaryMode(refused: EventRefusal): EventRefusal {
  const { field } = refused;
  if (field === undefined) return refused;
  return { ...refused, field: field.startsWith("data") ? "data" : `ce-${field}` };
}
