// The service's HTTP API as a script would call it: plain fetch, nothing of ours.
import { toNdjson } from "./ndjson.js";
import { adminToken, publisherToken } from "./tokens.js";

export interface Published {
  readonly accepted: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly duplicates?: number;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  readonly json: unknown;
}

export interface ApiRequest {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One request; `path` begins with a slash. Never throws for a status. */
export async function request(url: string, path: string, options: ApiRequest = {}): Promise<ApiResponse> {
  const { method = "GET", token, headers = {}, body } = options;
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url + path, {
    method,
    headers: { ...authorization, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

/** Publishes events as NDJSON. @throws when they were not all accepted. */
export async function publish(url: string, events: readonly unknown[], token = publisherToken()): Promise<Published> {
  const answer = await request(url, "/api/v1/events", {
    method: "POST",
    token,
    headers: { "content-type": "application/x-ndjson" },
    body: toNdjson(events),
  });
  if (answer.status !== 202) throw new Error(`the publish was answered with ${answer.status}: ${answer.text}`);
  return answer.json as Published;
}

/** A connection as the admin endpoint shows it. */
export interface ShownConnection {
  readonly connection_id: string;
  readonly user_id: string;
  readonly [member: string]: unknown;
}

/** The connections that the service shows an operator. */
export async function connectionsOf(url: string): Promise<ShownConnection[]> {
  const { json } = await request(url, "/api/v1/connections", { token: adminToken() });
  return (json as { readonly connections: ShownConnection[] }).connections;
}

/** A sample of `/metrics` by its name with labels as they are written; undefined where there is none. */
export async function metricOf(opsUrl: string, sample: string): Promise<number | undefined> {
  const { text } = await request(opsUrl, "/metrics");
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}
