// Rules that hold between settings. Each names the keys that it is about and looks only when all of them are allowed.
import { isLoopback } from "./endpoint-address.js";
import type { Settings } from "./schema.js";

/** One rule between keys. */
export interface TogetherRule {
  /** The problem is told of the first of these that somebody gave. */
  readonly paths: readonly string[];
  readonly allowed: string;
  /** What is the matter; undefined when nothing is. */
  readonly check: (settings: Settings) => string | undefined;
}

/** Rules of every start, `sluice config print` included. */
export const togetherRules: readonly TogetherRule[] = [
  {
    paths: ["buffer.low_watermark", "buffer.high_watermark"],
    allowed: "buffer.low_watermark below buffer.high_watermark",
    check: ({ buffer: { low_watermark: low, high_watermark: high } }) => {
      return low < high ? undefined : `makes buffer.low_watermark ${low} and buffer.high_watermark ${high}`;
    },
  },
  {
    paths: ["limits.payload_bytes", "limits.publish_body_bytes"],
    allowed: "limits.payload_bytes up to limits.publish_body_bytes",
    check: ({ limits: { payload_bytes: payload, publish_body_bytes: body } }) => {
      return payload <= body
        ? undefined
        : `makes limits.payload_bytes ${payload} and limits.publish_body_bytes ${body}`;
    },
  },
  {
    paths: ["server.workers", "log.engine"],
    allowed: "log.engine embedded while server.workers is over 1",
    check: ({ server: { workers }, log: { engine } }) => {
      return workers === 1 || engine === "embedded" ? undefined : `makes ${workers} workers share a ${engine} log`;
    },
  },
  {
    paths: ["auth.dev", "server.host"],
    allowed: "server.host in 127.0.0.0/8, ::1 or localhost while auth.dev is true",
    check: ({ auth, server }) => {
      return !auth.dev || isLoopback(server.host) ? undefined : `opens auth.dev to ${server.host}`;
    },
  },
  {
    paths: ["auth.dev", "gateway.host"],
    allowed: "gateway.host in 127.0.0.0/8, ::1 or localhost while auth.dev is true",
    check: ({ auth, gateway }) => {
      return !auth.dev || isLoopback(gateway.host) ? undefined : `opens auth.dev to ${gateway.host}`;
    },
  },
  {
    paths: ["gateway.tls.cert_file", "gateway.tls.key_file"],
    allowed: "gateway.tls.cert_file and gateway.tls.key_file, both or neither",
    check: ({ gateway: { tls } }) => {
      return (tls.cert_file === null) === (tls.key_file === null) ? undefined : "is given without the other";
    },
  },
  {
    paths: ["gateway.identity.exchange", "gateway.identity.secret"],
    allowed: "gateway.identity.secret while gateway.identity.exchange is true",
    check: ({ gateway: { identity } }) => {
      return identity.exchange && identity.secret === null ? "leaves the gateway nothing to sign with" : undefined;
    },
  },
  {
    paths: ["gateway.identity.exchange", "auth.mapping"],
    allowed:
      "an empty auth.mapping at the gateway while gateway.identity.exchange is true; a token can't carry its rights",
    check: ({ gateway: { identity }, auth }) => {
      return identity.exchange && auth.mapping.length > 0 ? "is true beside a mapping" : undefined;
    },
  },
  {
    paths: ["auth.hs256_secret", "auth.hs256_secret_file"],
    allowed: "one of auth.hs256_secret and auth.hs256_secret_file, the other null",
    check: ({ auth }) => {
      return auth.hs256_secret === null || auth.hs256_secret_file === null
        ? undefined
        : "is given beside the other one";
    },
  },
  {
    paths: ["auth.introspection_url", "auth.introspection_client_id", "auth.introspection_client_secret"],
    allowed:
      "auth.introspection_url, auth.introspection_client_id and auth.introspection_client_secret, all or none (RFC 7662 §2.1)",
    check: ({ auth }) => {
      const parts = [auth.introspection_url, auth.introspection_client_id, auth.introspection_client_secret];
      const given = parts.filter((part) => part !== null).length;
      return given === 0 || given === parts.length ? undefined : "is given without the others";
    },
  },
  {
    paths: ["auth.algorithms", "auth.hs256_secret", "auth.hs256_secret_file"],
    allowed: "HS256 among auth.algorithms while there is a shared secret",
    check: ({ auth }) => {
      const shared = auth.hs256_secret !== null || auth.hs256_secret_file !== null;
      return !shared || auth.algorithms.includes("HS256")
        ? undefined
        : "leaves the shared secret without its algorithm";
    },
  },
  {
    paths: ["auth.algorithms", "auth.jwks_url"],
    allowed: "an algorithm besides HS256 among auth.algorithms while auth.jwks_url is set",
    check: ({ auth }) => {
      const some = auth.algorithms.some((algorithm) => algorithm !== "HS256");
      return auth.jwks_url === null || some ? undefined : "leaves the published keys without an algorithm";
    },
  },
];

/** The rule of a process that serves: somebody must be able to authenticate. */
export const authRule: TogetherRule = {
  paths: [
    "auth.hs256_secret",
    "auth.hs256_secret_file",
    "auth.issuer",
    "auth.jwks_url",
    "auth.introspection_url",
    "auth.dev",
  ],
  allowed:
    "one of (1) auth.hs256_secret_file, tokens signed with a shared secret, (2) auth.issuer as a URL, auth.jwks_url or " +
    "auth.introspection_url, an identity provider, (3) auth.dev=true, development on this machine only",
  check: ({ auth }) => {
    const issuer = auth.issuer !== null && URL.canParse(auth.issuer) ? auth.issuer : null;
    const ways = [auth.hs256_secret, auth.hs256_secret_file, issuer, auth.jwks_url, auth.introspection_url];
    return auth.dev || ways.some((way) => way !== null) ? undefined : "lets nobody in: no authentication is configured";
  },
};

/** The rule of a gateway: it must lead somewhere. */
export const upstreamsRule: TogetherRule = {
  paths: ["gateway.upstreams"],
  allowed: "at least one URL of a streaming service, such as http://127.0.0.1:8081",
  check: ({ gateway }) => (gateway.upstreams.length > 0 ? undefined : "is empty: the gateway leads nowhere"),
};
