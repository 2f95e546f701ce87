// What a refusal says in words, wherever it came from.

/** Most characters of a refusal that are repeated. */
const detailLengthMax = 500;

/** Seconds as in RFC 9110 §10.2.3, as ms; a date there is not worth the code. */
export function readRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined;
}

/** The detail, or else the title, of problem+json (RFC 9457); made harmless for a terminal. */
export function problemDetail(problem: unknown): string | undefined {
  if (typeof problem !== "object" || problem === null) return undefined;
  const { title, detail } = problem as Readonly<Record<string, unknown>>;
  const words = typeof detail === "string" ? detail : title;
  return typeof words === "string" ? words.replace(/[\p{Cc}\p{Cf}]/gu, " ").slice(0, detailLengthMax) : undefined;
}

/** Why a handshake was refused: `the token has expired (HTTP 401)`. */
export function describeRefusal(status: number, problem: unknown): string {
  const otherwise = status === 404 ? "there is no Sluice at this address" : "the server refused the connection";
  return `${(status === 404 ? undefined : problemDetail(problem)) ?? otherwise} (HTTP ${status})`;
}
