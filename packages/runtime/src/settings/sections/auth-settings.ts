// `auth.*`: whose tokens are believed, and what their bearers may do (protocol §1, §9).
import Type from "typebox";
import { isTrustworthyUrl, trustworthyUrl } from "../endpoint-address.js";
import { element, flag, integer, list, orNull, text } from "../setting.js";
import { mappingSetting } from "./mapping-setting.js";

/** Algorithms that a token may be signed with; `none` is none of them. */
const signatureAlgorithms = [
  "HS256",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

/** Shortest shared secret that is taken at all, bytes; under 32 (RFC 7518 §3.2) the service warns at every start. */
export const hs256SecretBytesMin = 1;

/** Longest shared secret or client secret, bytes. */
export const secretBytesMax = 4_096;

/** What a secret is printed as; refused as a value, so that printed settings can't be loaded with it by mistake. */
export const secretMask = "***";

const dayMs = 86_400_000;
const nameLengthMax = 512;

const isShort = (value: string) => value !== "" && value.length <= nameLengthMax;
const short = `a string of 1 to ${nameLengthMax} characters`;

function isSecret(value: string, bytesMin: number): boolean {
  const bytes = Buffer.byteLength(value);
  return bytes >= bytesMin && bytes <= secretBytesMax && value !== secretMask;
}

/** An issuer may be any string (RFC 7519 §4.1.1), but one with an authority is where keys come from. */
function isIssuer(value: string): boolean {
  return isShort(value) && (!value.includes("://") || isTrustworthyUrl(value));
}

export const authSettings = Type.Object({
  dev: flag({
    default: false,
    description:
      "Development without an identity provider: every caller has all rights. Only on a loopback `server.host`.",
  }),
  hs256_secret: orNull(
    text({
      default: "",
      secret: true,
      description: "Secret that HS256 tokens are signed with; better given as `auth.hs256_secret_file`.",
      allowed: `a string of ${hs256SecretBytesMin} to ${secretBytesMax} bytes, 32 or more to be safe (RFC 7518 §3.2), not the mask ${secretMask}`,
      check: (value) => isSecret(value, hs256SecretBytesMin),
    }),
    "no shared secret",
    true,
  ),
  hs256_secret_file: orNull(
    text({
      default: "",
      description:
        "File with the secret that HS256 tokens are signed with; white space around it is removed. Not together with `auth.hs256_secret`.",
      allowed: "a path",
      check: (value) => value.trim() !== "" && !value.includes("\0"),
    }),
    "no shared secret",
    true,
  ),
  issuer: orNull(
    text({
      default: "",
      description:
        "The only `iss` that tokens may have (RFC 7519 §4.1.1); a URL is also where the keys are found (OpenID Connect Discovery §4) while `auth.jwks_url` is null.",
      allowed: `${short}; a URL only as ${trustworthyUrl}`,
      check: isIssuer,
    }),
    "any",
    true,
  ),
  jwks_url: orNull(
    text({
      default: "",
      description: "Where the identity provider publishes its keys (RFC 7517 §5).",
      allowed: trustworthyUrl,
      check: isTrustworthyUrl,
    }),
    "no published keys",
    true,
  ),
  introspection_url: orNull(
    text({
      default: "",
      description: "Where opaque tokens are asked about (RFC 7662).",
      allowed: trustworthyUrl,
      check: isTrustworthyUrl,
    }),
    "no introspection",
    true,
  ),
  introspection_client_id: orNull(
    text({
      default: "",
      description: "Our name at `auth.introspection_url`; together with `auth.introspection_client_secret`.",
      allowed: short,
      check: isShort,
    }),
    "none",
    true,
  ),
  introspection_client_secret: orNull(
    text({
      default: "",
      secret: true,
      description: "Our password at `auth.introspection_url`.",
      allowed: `a string of 1 to ${secretBytesMax} bytes, not the mask ${secretMask}`,
      check: (value) => isSecret(value, 1),
    }),
    "none",
    true,
  ),
  audience: list(element(isShort), {
    default: [],
    maxItems: 100,
    description: "A token's `aud` must hold one of these (RFC 7519 §4.1.3); empty for any.",
    allowed: short,
  }),
  algorithms: list(Type.Enum(signatureAlgorithms), {
    default: ["HS256", "RS256", "ES256", "EdDSA"],
    minItems: 1,
    maxItems: signatureAlgorithms.length,
    description:
      "Signature algorithms that are believed; HS256 only ever with the shared secret, the others only with published keys.",
    allowed: `one of ${signatureAlgorithms.join(", ")}`,
  }),
  clock_skew_ms: integer({
    default: 5_000,
    minimum: 0,
    maximum: 300_000,
    unit: "ms",
    description: "How far our clock and the issuer's may differ when `exp`, `nbf` and `iat` are looked at.",
  }),
  query_token: flag({
    default: true,
    description:
      "Whether a token may come as `?token=`; a proxy in between may log it, so switch it off where tickets or headers will do.",
  }),
  jwks_cooldown_ms: integer({
    default: 1_000,
    minimum: 0,
    maximum: 3_600_000,
    unit: "ms",
    description: "Shortest time between two fetches of the keys, whatever unknown `kid`s come in.",
  }),
  jwks_max_age_ms: integer({
    default: 600_000,
    minimum: 1_000,
    maximum: dayMs,
    unit: "ms",
    description: "Age at which the keys are fetched anew.",
  }),
  jwks_stale_ms: integer({
    default: 3_600_000,
    minimum: 0,
    maximum: 7 * dayMs,
    unit: "ms",
    description:
      "How long past `auth.jwks_max_age_ms` the old keys are still believed while the identity provider can't be reached.",
  }),
  introspection_cache_ms: integer({
    default: 30_000,
    minimum: 0,
    maximum: 3_600_000,
    unit: "ms",
    description:
      "How long an answer of `auth.introspection_url` is believed; a revocation is seen after it at the latest. 0 asks every time.",
  }),
  ticket_ttl_ms: integer({
    default: 30_000,
    minimum: 100,
    maximum: 600_000,
    unit: "ms",
    description: "How long a ticket from `POST /api/v1/tickets` can be used, once.",
  }),
  groups_claim: text({
    default: "groups",
    description: "Claim that `group` in `auth.mapping` is looked up in; a dot goes one level down.",
    allowed: short,
    check: isShort,
  }),
  roles_claim: text({
    default: "roles",
    description:
      "Claim that `role` in `auth.mapping` is looked up in; a dot goes one level down (`realm_access.roles`).",
    allowed: short,
    check: isShort,
  }),
  mapping: mappingSetting,
});
