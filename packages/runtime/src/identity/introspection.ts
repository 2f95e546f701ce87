// Opaque tokens: the issuer is asked what one stands for (RFC 7662), and its answer believed for a short while.
import type { Clock } from "../clock.js";
import { authFailure, type AuthFailure } from "./auth-failures.js";
import { BoundedCache } from "./bounded-cache.js";
import { isClaims, readClaim, type Claims } from "./claims.js";
import { fetchText, type Fetch } from "./fetch-text.js";
import { digestToken } from "./token-digest.js";

/** Whom to ask, and how long to believe. */
export interface IntrospectionOptions {
  readonly url: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  /** How long an answer is believed, ms, and never past the token's `exp`; 0 = each time anew. */
  readonly cacheMs: number;
  readonly clock: Clock;
  readonly fetch: Fetch;
  /** Told why asking failed, in a sentence for an operator. */
  readonly onTrouble?: (trouble: string) => void;
}

/** The issuer's answer about an active token, and when it was given, wall-clock ms. */
export type IntrospectedToken =
  | { readonly ok: true; readonly claims: Claims; readonly answeredAtMs: number }
  | AuthFailure;

/** Longest answer taken, bytes. */
const answerBytesMax = 65_536;
/** Answers held, bytes: tens of thousands of ordinary ones. */
const cacheBytesMax = 16 * 1_048_576;
/** "Not active" is believed no longer than this, ms: enough to blunt a loop, too short to be in a new token's way. */
const inactiveCacheMsMax = 2_000;
/** Questions under way at once; a flood of made-up tokens is not passed on to the issuer at any rate. */
const questionsMax = 256;
const retryAfterMs = 1_000;

/** Asks the issuer, once for all who ask about the same token at the same time. */
export class Introspection {
  readonly #options: IntrospectionOptions;
  readonly #answers: BoundedCache<IntrospectedToken>;
  readonly #underWay = new Map<string, Promise<IntrospectedToken>>();
  readonly #closing = new AbortController();

  constructor(options: IntrospectionOptions) {
    this.#options = options;
    this.#answers = new BoundedCache({ clock: options.clock, bytesMax: cacheBytesMax });
  }

  /** What `token` stands for: `inactive`, or `issuer_unavailable` when the issuer gave no answer of use. Never rejects. */
  async introspect(token: string): Promise<IntrospectedToken> {
    const key = digestToken(token);
    const answer = this.#answers.get(key) ?? this.#underWay.get(key);
    if (answer !== undefined) return answer;
    if (this.#underWay.size >= questionsMax) return authFailure("issuer_unavailable", retryAfterMs);
    const asking = this.#ask(token, key).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, asking);
    return asking;
  }

  /** Ends the questions under way; who waits is told `issuer_unavailable`. */
  close(): void {
    this.#closing.abort();
  }

  async #ask(token: string, key: string): Promise<IntrospectedToken> {
    const { url, clientId, clientSecret, clock, cacheMs } = this.#options;
    const response = await fetchText(this.#options.fetch, {
      url,
      method: "POST",
      headers: {
        accept: "application/json",
        authorization: basicCredentials(clientId, clientSecret),
        "content-type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams({ token, token_type_hint: "access_token" }).toString(),
      bytesMax: answerBytesMax,
      signal: this.#closing.signal,
    });
    const claims = response.ok ? parseAnswer(response.text) : undefined;
    if (!response.ok || claims === undefined) {
      const trouble = response.ok ? "answered with no JSON object that has a boolean active" : response.trouble;
      if (!this.#closing.signal.aborted) this.#options.onTrouble?.(`${url.origin}${url.pathname} ${trouble}`);
      return authFailure("issuer_unavailable", retryAfterMs);
    }
    if (claims["active"] !== true) {
      const inactive = authFailure("inactive");
      this.#answers.set(key, inactive, Math.min(cacheMs, inactiveCacheMsMax), 0);
      return inactive;
    }
    const answeredAtMs = clock.wall();
    const exp = readClaim(claims, "exp");
    const ttlMs = typeof exp === "number" ? Math.min(cacheMs, exp * 1000 - answeredAtMs) : cacheMs;
    const answer: IntrospectedToken = { ok: true, claims, answeredAtMs };
    this.#answers.set(key, answer, ttlMs, response.text.length);
    return answer;
  }
}

/** RFC 6749 §2.3.1: both halves form-encoded before they are joined. */
function basicCredentials(clientId: string, clientSecret: string): string {
  const pair = [clientId, clientSecret].map((half) => new URLSearchParams([["", half]]).toString().slice(1)).join(":");
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function parseAnswer(text: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isClaims(value) && typeof readClaim(value, "active") === "boolean" ? value : undefined;
  } catch {
    return undefined;
  }
}
