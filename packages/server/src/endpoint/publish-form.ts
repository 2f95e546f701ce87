// Which of the forms of a publish (protocol.md §8) a request is in, by its headers alone.
import { hasCloudEventHeaders, readCloudEventHeaders, type HttpHeaders } from "@sluice/protocol";
import type { Problem } from "@sluice/runtime";

/** How the body is to be read. */
export type PublishForm =
  | { readonly kind: "json" | "ndjson" | "cloud-event" | "cloud-event-batch" }
  | {
      readonly kind: "cloud-event-binary";
      readonly attributes: Readonly<Record<string, string>>;
      /** What the body is to the event: a JSON value, a text, or bytes to be carried as base64. */
      readonly data: "json" | "text" | "bytes";
    };

const formsByMediaType = {
  "application/json": "json",
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/cloudevents+json": "cloud-event",
  "application/cloudevents-batch+json": "cloud-event-batch",
} as const satisfies Record<string, PublishForm["kind"]>;

/** By far the most common, found without taking it apart. */
const jsonForm = { mediaType: "application/json", form: { kind: "json" } } as const;

/** The content types of a publish, apart from CloudEvents in binary mode, which take any. */
const publishMediaTypes = Object.keys(formsByMediaType) as readonly (keyof typeof formsByMediaType)[];

/** JSON is UTF-8 (RFC 8259 §8.1), and ASCII is UTF-8; any other charset would be misread. */
const charsets: readonly string[] = ["utf-8", "utf8", "us-ascii"];

const charsetParameter = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i;

/**
 * Reads the form from `Content-Type` and the `ce-` headers (CloudEvents HTTP binding §3: structured and batched by their
 * media types, binary when the attributes of a CloudEvent are in the headers).
 */
export function readPublishForm(contentType: string | undefined, headers: HttpHeaders): PublishForm | Problem {
  if (contentType === jsonForm.mediaType && !hasCloudEventHeaders(headers)) return jsonForm.form;
  const mediaType = contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const charset = charsetOf(contentType);
  if (!mediaType.startsWith("application/cloudevents") && hasCloudEventHeaders(headers)) {
    return readBinary(mediaType, charset, headers);
  }
  if (!Object.hasOwn(formsByMediaType, mediaType)) {
    return unsupported(`Content-Type must be one of ${publishMediaTypes.join(", ")}`, publishMediaTypes);
  }
  if (!isUtf8Charset(charset)) return unsupported("The charset must be utf-8", charsets);
  return { kind: formsByMediaType[mediaType as keyof typeof formsByMediaType] };
}

function readBinary(mediaType: string, charset: string | undefined, headers: HttpHeaders): PublishForm | Problem {
  const data = dataKindOf(mediaType);
  if (data !== "bytes" && !isUtf8Charset(charset)) return unsupported("The charset must be utf-8", charsets);
  const read = readCloudEventHeaders(headers);
  if (read.ok) return { kind: "cloud-event-binary", attributes: read.attributes, data };
  return { name: "invalid-event", detail: `Event 0: ${read.field} ${read.problem}`, index: 0, field: read.field };
}

function dataKindOf(mediaType: string): "json" | "text" | "bytes" {
  if (mediaType === "application/json" || mediaType === "text/json" || mediaType.endsWith("+json")) return "json";
  return mediaType.startsWith("text/") ? "text" : "bytes";
}

function charsetOf(contentType: string | undefined): string | undefined {
  const match = charsetParameter.exec(contentType ?? "");
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function isUtf8Charset(charset: string | undefined): boolean {
  return charset === undefined || charsets.includes(charset);
}

function unsupported(detail: string, allowed: readonly string[]): Problem {
  return { name: "unsupported-media-type", detail, allowed };
}
