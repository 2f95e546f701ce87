// Tokens that must not be believed, each with its clause. `why` is what a living connection hears about it on refresh.
import { createHmac } from "node:crypto";
import { testSecret } from "@sluice/testkit";
import { audience, signWith, type SigningKey } from "../issuer.js";

export interface TokenCase {
  readonly name: string;
  /** Clause or reason. */
  readonly because: string;
  readonly make: (world: TokenWorld) => string | Promise<string>;
}

/** What tokens are made of. */
export interface TokenWorld {
  readonly issuer: string;
  /** Published by the issuer. */
  readonly key: SigningKey;
  /** Somebody else's, never published. */
  readonly stranger: SigningKey;
  /** A server that nobody may ever ask. */
  readonly trap: string;
}

type Claims = Record<string, unknown>;

const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const nowS = (): number => Math.floor(Date.now() / 1_000);

/** Claims that are all right. */
export function goodClaims({ issuer }: Pick<TokenWorld, "issuer">): Claims {
  return { iss: issuer, aud: audience, sub: "mallory", iat: nowS(), exp: nowS() + 600 };
}

function but(world: TokenWorld, change: Claims): Claims {
  return Object.fromEntries(
    Object.entries({ ...goodClaims(world), ...change }).filter(([, value]) => value !== undefined),
  );
}

function hmac(header: unknown, claims: unknown, secret: string = testSecret, hash = "sha256"): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest("base64url")}`;
}

const shared = { alg: "HS256", typ: "JWT" };

type Row = readonly [name: string, because: string, make: TokenCase["make"]];

const unsigned =
  (alg: unknown): TokenCase["make"] =>
  (world) =>
    `${encode({ alg })}.${encode(goodClaims(world))}.`;
const claim =
  (change: (world: TokenWorld) => Claims): TokenCase["make"] =>
  (world) =>
    signWith(world.key, but(world, change(world)));
const sharedClaim =
  (change: (world: TokenWorld) => Claims): TokenCase["make"] =>
  (world) =>
    hmac(shared, but(world, change(world)));
const header =
  (change: (world: TokenWorld) => Claims): TokenCase["make"] =>
  (world) =>
    signWith(world.stranger, goodClaims(world), change(world));

const algorithms: readonly Row[] = [
  ...["none", "None", "NONE", "nOnE", "none ", " none", "", "null", "HS256 "].map((alg): Row => [
    `alg ${JSON.stringify(alg)} without a signature`,
    "RFC 8725 §3.1, §3.2",
    unsigned(alg),
  ]),
  ["alg none with a good signature", "RFC 8725 §3.2", (world) => hmac({ alg: "none" }, goodClaims(world))],
  ["alg null", "RFC 7515 §4.1.1", unsigned(null)],
  ["alg a list", "RFC 7515 §4.1.1", unsigned(["HS256"])],
  ["alg an object", "RFC 7515 §4.1.1", unsigned({ toString: "HS256" })],
  ["no alg", "RFC 7515 §4.1.1", (world) => hmac({ typ: "JWT" }, goodClaims(world))],
  ["alg hs256", "RFC 7515 §4.1.1: case matters", (world) => hmac({ alg: "hs256" }, goodClaims(world))],
  [
    "HS512 with our secret",
    "RFC 8725 §3.1",
    (world) => hmac({ alg: "HS512" }, goodClaims(world), testSecret, "sha512"),
  ],
  [
    "HS256 by the published key's PEM",
    "RFC 8725 §2.1",
    (world) => hmac({ ...shared, kid: world.key.kid }, goodClaims(world), world.key.publicPem),
  ],
  [
    "HS256 by the PEM without its last line end",
    "RFC 8725 §2.1",
    (world) => hmac({ ...shared, kid: world.key.kid }, goodClaims(world), world.key.publicPem.trim()),
  ],
  [
    "HS256 by the published modulus",
    "RFC 8725 §2.1",
    (world) => hmac({ ...shared, kid: world.key.kid }, goodClaims(world), String(world.key.publicJwk.n)),
  ],
  [
    "HS256 by the published JWK",
    "RFC 8725 §2.1",
    (world) => hmac({ ...shared, kid: world.key.kid }, goodClaims(world), JSON.stringify(world.key.publicJwk)),
  ],
  ["HS256 by an empty secret", "RFC 8725 §3.5", (world) => hmac(shared, goodClaims(world), "")],
  ["HS256 by a guessed secret", "RFC 8725 §3.5", (world) => hmac(shared, goodClaims(world), "secret")],
  ["RS256 with an HMAC", "RFC 8725 §2.1", (world) => hmac({ alg: "RS256", kid: world.key.kid }, goodClaims(world))],
  [
    "PS256, which is not in the list",
    "RFC 8725 §3.1",
    (world) => hmac({ alg: "PS256", kid: world.key.kid }, goodClaims(world)),
  ],
  ["alg __proto__", "RFC 7515 §4.1.1", (world) => hmac({ alg: "__proto__" }, goodClaims(world))],
];

const keys: readonly Row[] = [
  [
    "a stranger's signature under our kid",
    "RFC 7515 §5.2",
    (world) => signWith(world.stranger, goodClaims(world), { kid: world.key.kid }),
  ],
  ["an unknown kid", "RFC 7515 §4.1.4", header(() => ({}))],
  ["a stranger's signature without kid", "RFC 7515 §5.2", header(() => ({ kid: undefined }))],
  ["kid a path", "RFC 8725 §3.10", header(() => ({ kid: "../../../../../../dev/null" }))],
  ["kid an absolute path", "RFC 8725 §3.10", header(() => ({ kid: "/etc/passwd" }))],
  ["kid a URL", "RFC 8725 §3.10", header(({ trap }) => ({ kid: `${trap}/kid` }))],
  ["kid SQL", "RFC 8725 §3.10", header(() => ({ kid: "x' UNION SELECT 'key" }))],
  ["kid __proto__", "RFC 8725 §3.10", header(() => ({ kid: "__proto__" }))],
  ["kid constructor", "RFC 8725 §3.10", header(() => ({ kid: "constructor" }))],
  ["kid hasOwnProperty", "RFC 8725 §3.10", header(() => ({ kid: "hasOwnProperty" }))],
  ["kid empty", "RFC 7515 §4.1.4", header(() => ({ kid: "" }))],
  ["kid a number", "RFC 7515 §4.1.4", (world) => hmac({ alg: "RS256", kid: 0 }, goodClaims(world))],
  ["kid an object", "RFC 7515 §4.1.4", (world) => hmac({ alg: "RS256", kid: { kid: "a" } }, goodClaims(world))],
  ["the stranger's key as jwk", "RFC 8725 §3.10", header(({ stranger }) => ({ jwk: stranger.publicJwk }))],
  [
    "the stranger's key as jwk under our kid",
    "RFC 8725 §3.10",
    header(({ stranger, key }) => ({ kid: key.kid, jwk: stranger.publicJwk })),
  ],
  ["jku", "RFC 8725 §3.10: no request", header(({ trap }) => ({ jku: `${trap}/jwks` }))],
  [
    "jku under our kid",
    "RFC 8725 §3.10: no request",
    header(({ trap, key }) => ({ kid: key.kid, jku: `${trap}/jwks` })),
  ],
  [
    "jku behind our issuer's name",
    "RFC 8725 §3.10: no request",
    header(({ trap, issuer }) => ({ jku: `${issuer}@${trap.slice(7)}/jwks` })),
  ],
  ["x5u", "RFC 8725 §3.10: no request", header(({ trap }) => ({ x5u: `${trap}/cert` }))],
  ["x5c", "RFC 8725 §3.10", header(() => ({ x5c: ["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"] }))],
  ["crit", "RFC 7515 §4.1.11", (world) => hmac({ ...shared, crit: ["exp"], exp: 1 }, goodClaims(world))],
  ["crit b64", "RFC 7797 §6", (world) => hmac({ ...shared, crit: ["b64"], b64: false }, goodClaims(world))],
  ["crit empty", "RFC 7515 §4.1.11", (world) => hmac({ ...shared, crit: [] }, goodClaims(world))],
];

const claims: readonly Row[] = [
  ["another iss", "RFC 7519 §4.1.1", claim(() => ({ iss: "https://evil.example" }))],
  ["iss with a slash more", "RFC 7519 §4.1.1", claim(({ issuer }) => ({ iss: `${issuer}/` }))],
  ["iss a list", "RFC 7519 §4.1.1", claim(({ issuer }) => ({ iss: [issuer] }))],
  ["no iss", "RFC 8725 §3.8", claim(() => ({ iss: undefined }))],
  ["no iss, HS256", "RFC 8725 §3.8", sharedClaim(() => ({ iss: undefined }))],
  ["iss null", "RFC 7519 §4.1.1", claim(() => ({ iss: null }))],
  ["another aud", "RFC 7519 §4.1.3", claim(() => ({ aud: "https://other.example" }))],
  ["an aud that begins alike", "RFC 7519 §4.1.3", claim(() => ({ aud: `${audience}.evil.example` }))],
  ["no aud", "RFC 8725 §3.9", claim(() => ({ aud: undefined }))],
  ["no aud, HS256", "RFC 8725 §3.9", sharedClaim(() => ({ aud: undefined }))],
  ["an empty list of aud", "RFC 7519 §4.1.3", claim(() => ({ aud: [] }))],
  ["aud an object", "RFC 7519 §4.1.3", claim(() => ({ aud: { [audience]: true } }))],
  ["aud a list in a list", "RFC 7519 §4.1.3", claim(() => ({ aud: [[audience]] }))],
  ["no sub", "protocol §9", claim(() => ({ sub: undefined }))],
  ["an empty sub", "protocol §9", claim(() => ({ sub: "" }))],
  ["sub a number", "RFC 7519 §4.1.2", claim(() => ({ sub: 7 }))],
  ["sub with a line end", "log lines are not for forging", claim(() => ({ sub: "mallory\nadmin" }))],
  ["sub of 257 characters", "bounded", claim(() => ({ sub: "x".repeat(257) }))],
  ["no exp", "protocol §9", claim(() => ({ exp: undefined }))],
  ["no exp, HS256", "protocol §9", sharedClaim(() => ({ exp: undefined }))],
  ["exp a string", "RFC 7519 §4.1.4", claim(() => ({ exp: String(nowS() + 600) }))],
  ["exp null", "RFC 7519 §4.1.4", sharedClaim(() => ({ exp: null }))],
  ["exp true", "RFC 7519 §4.1.4", sharedClaim(() => ({ exp: true }))],
  ["exp a list", "RFC 7519 §4.1.4", sharedClaim(() => ({ exp: [nowS() + 600] }))],
  [
    "exp 1e999",
    "RFC 7519 §2",
    (world) => hmac(shared, JSON.stringify(goodClaims(world)).replace(/"exp":\d+/, '"exp":1e999')),
  ],
  ["exp over", "RFC 7519 §4.1.4", claim(() => ({ exp: nowS() - 60 }))],
  ["exp 0", "RFC 7519 §4.1.4", claim(() => ({ exp: 0 }))],
  ["exp below 0", "RFC 7519 §4.1.4", sharedClaim(() => ({ exp: -1 }))],
  ["nbf ahead", "RFC 7519 §4.1.5", claim(() => ({ nbf: nowS() + 60 }))],
  ["nbf a string", "RFC 7519 §4.1.5", sharedClaim(() => ({ nbf: "0" }))],
  ["nbf null", "RFC 7519 §4.1.5", sharedClaim(() => ({ nbf: null }))],
  ["events that are no list", "protocol §9: never read as no restriction", claim(() => ({ events: "*" }))],
  ["clusters with a number", "protocol §9: never read as no restriction", claim(() => ({ clusters: [1] }))],
  ["scope an object", "protocol §9", claim(() => ({ scope: { admin: true } }))],
  [
    "all claims in __proto__",
    "RFC 8259, prototypes",
    (world) => hmac(shared, `{"__proto__":${JSON.stringify(goodClaims(world))}}`),
  ],
  ["claims a list", "RFC 7519 §7.2", (world) => hmac(shared, [goodClaims(world)])],
  ["claims null", "RFC 7519 §7.2", () => hmac(shared, "null")],
  ["claims no JSON", "RFC 7519 §7.2", () => hmac(shared, "sub=mallory")],
];

/** A good token taken apart and put together wrongly. */
async function edited(world: TokenWorld, edit: (parts: [string, string, string]) => string): Promise<string> {
  const [head = "", body = "", signature = ""] = (await signWith(world.key, goodClaims(world))).split(".");
  return edit([head, body, signature]);
}

const shapes: readonly Row[] = [
  [
    "changed claims",
    "RFC 7515 §5.2",
    (world) => edited(world, ([h, , s]) => `${h}.${encode(but(world, { sub: "admin" }))}.${s}`),
  ],
  [
    "a changed header",
    "RFC 7515 §5.2",
    (world) => edited(world, ([, c, s]) => `${encode({ alg: "RS256", kid: world.key.kid, x: 1 })}.${c}.${s}`),
  ],
  ["a signature cut short", "RFC 7515 §5.2", (world) => edited(world, ([h, c, s]) => `${h}.${c}.${s.slice(0, -4)}`)],
  ["no signature", "RFC 7515 §5.2", (world) => edited(world, ([h, c]) => `${h}.${c}.`)],
  [
    "a signature of zeros",
    "RFC 7515 §5.2",
    (world) => edited(world, ([h, c]) => `${h}.${c}.${Buffer.alloc(256).toString("base64url")}`),
  ],
  ["two parts", "RFC 7515 §3.1", (world) => edited(world, ([h, c]) => `${h}.${c}`)],
  ["four parts", "RFC 7515 §3.1", (world) => edited(world, ([h, c, s]) => `${h}.${c}.${s}.${s}`)],
  ["five parts, as if encrypted", "RFC 7516 §3.1", (world) => edited(world, ([h, c, s]) => `${h}.${c}.${s}.${s}.${s}`)],
  ["dots alone", "RFC 7515 §3.1", () => ".."],
  ["an opaque token that nobody can judge", "RFC 6750", () => "gho_16C7e42F292c6912E7710c838347Ae178B4a"],
  ["a token of 12,289 bytes", "12 KiB at most", (world) => padded(world, 12_289)],
  ["a token of 15,000 bytes", "12 KiB at most", (world) => padded(world, 15_000)],
];

/** A token that is good but for its length. */
export function padded(world: Pick<TokenWorld, "issuer">, bytes: number): string {
  const make = (pad: number): string => hmac(shared, { ...goodClaims(world), pad: "x".repeat(pad) });
  let pad = Math.floor(((bytes - make(0).length) * 3) / 4) - 4;
  while (make(pad + 1).length <= bytes) pad += 1;
  return make(pad);
}

const groups: readonly (readonly [string, readonly Row[]])[] = [
  ["algorithm", algorithms],
  ["key", keys],
  ["claims", claims],
  ["shape", shapes],
];

/** All of them, by part. */
export const badTokens: readonly (readonly [string, readonly TokenCase[]])[] = groups.map(([group, rows]) => [
  group,
  rows.map(([name, because, make]) => ({ name, because, make })),
]);
