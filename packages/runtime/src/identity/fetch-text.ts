// One bounded request to an identity provider. What comes back is data to judge; trouble is told in words of ours.

/** The `fetch` to use; tests and proxies pass their own. */
export type Fetch = typeof fetch;

/** What to ask for. */
export interface TextRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Longest body taken, bytes after decompression; more is trouble. */
  readonly bytesMax: number;
  /** Ends the request early. */
  readonly signal: AbortSignal;
  /** From its start to the last byte of its answer, ms; default 5,000. */
  readonly timeoutMs?: number;
}

/** A whole body with status 200, or what went wrong, for an operator: no body, no token, no credentials. */
export type TextResponse =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly trouble: string };

/** How long a request may take, ms. */
const fetchTimeoutMs = 5_000;

/**
 * Sends one request and reads its answer. Redirects are not followed: keys and answers about tokens come from where the
 * configuration says. A connection that fails before an answer is tried once more, for an idle one may have been closed.
 */
export async function fetchText(send: Fetch, request: TextRequest): Promise<TextResponse> {
  const { url, method, headers, body, timeoutMs = fetchTimeoutMs } = request;
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
  const attempt = () => send(url, { method, headers, redirect: "manual", signal, ...(body !== undefined && { body }) });
  try {
    const response = await attempt().catch((error: unknown) => {
      if (signal.aborted) throw error;
      return attempt();
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return { ok: false, trouble: `answered ${response.status}` };
    }
    const text = await readText(response, request.bytesMax);
    return text === undefined
      ? { ok: false, trouble: `answered more than ${request.bytesMax} bytes` }
      : { ok: true, text };
  } catch (error) {
    return {
      ok: false,
      trouble: signal.aborted ? `gave no answer in ${timeoutMs} ms` : `failed (${codeOf(error)})`,
    };
  }
}

async function readText(response: Response, bytesMax: number): Promise<string | undefined> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The system's code (`ECONNREFUSED`); messages may hold what was sent. */
function codeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
  }
  return "no connection";
}
