// `gateway.*`: the door from outside, whom it lets in and to which services it leads.
import Type from "typebox";
import { isAddressRange, isHost, isOrigin, isUpstreamUrl } from "../endpoint-address.js";
import { choice, element, flag, integer, list, orNull, text } from "../setting.js";

const portMax = 65_535;
const countMax = 1_000_000;
const mebibyte = 1_048_576;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const listMax = 1_000;
const pathLengthMax = 4_096;
const host = "an IP address or a host name";

const file = (description: string) =>
  orNull(
    text({
      default: "",
      description,
      allowed: "a path of a PEM file",
      check: (value) => value !== "" && value.length <= pathLengthMax,
    }),
    "no TLS here",
    true,
  );

const tunnelSettings = Type.Object({
  buffer_bytes: integer({
    default: 262_144,
    minimum: 229_376,
    maximum: 64 * mebibyte,
    unit: "bytes",
    description:
      "Most bytes that the gateway holds for one tunnel, both directions together; past it the side that sends is not " +
      "read. What is over 208 KiB holds back frames that have not arrived whole, half of it in each direction.",
  }),
  frame_bytes: integer({
    default: 16 * mebibyte,
    minimum: 125,
    maximum: 1_024 * mebibyte,
    unit: "bytes",
    description: "Largest frame of a client; past it Close 1009. The service behind has its own, smaller limit.",
  }),
  close_ms: integer({
    default: 3_000,
    minimum: 10,
    maximum: minuteMs,
    unit: "ms",
    description: "Time for a tunnel to end after one side has closed; past it both connections are cut.",
  }),
  stall_ms: integer({
    default: 60_000,
    minimum: 100,
    maximum: hourMs,
    unit: "ms",
    description:
      "Time that a side may take nothing and send nothing while bytes wait for it; past it the tunnel is cut.",
  }),
  disconnect_frame: choice(["negotiated", "always", "never"], {
    default: "negotiated",
    description:
      "Which clients a draining gateway tells when to come back, with a `disconnect` frame before Close 1012: those that " +
      "agreed on `sluice.v1`, all (only before services that all speak it), or none.",
  }),
  keepalive_ms: integer({
    default: 15_000,
    minimum: 1_000,
    maximum: hourMs,
    unit: "ms",
    description: "Silence after which TCP asks whether the other side is still there.",
  }),
});

const gatewayLimits = Type.Object({
  connections: integer({
    default: 15_000,
    minimum: 1,
    maximum: countMax,
    unit: "connections",
    description: "Most tunnels and HTTP requests at once, handshakes included; past it Close 1013 or HTTP 503.",
  }),
  connections_per_user: integer({
    default: 10_000,
    minimum: 0,
    maximum: countMax,
    unit: "connections",
    description: "Most of them of one user; past it Close 1013 or HTTP 429. 0 is unlimited.",
  }),
  connections_per_address: integer({
    default: 10_000,
    minimum: 0,
    maximum: countMax,
    unit: "connections",
    description:
      "Most of them from one address, of IPv6 from one /64; past it Close 1013 or HTTP 429, and TCP connections past it and 16 more are cut. 0 is unlimited. See `gateway.trusted_proxies`.",
  }),
  handshakes_per_second: integer({
    default: 1_000,
    minimum: 1,
    maximum: countMax,
    unit: "handshakes/s",
    description: "Handshakes from one address in the long run, looked at before any token; past it HTTP 429.",
  }),
  handshake_burst: integer({
    default: 10_000,
    minimum: 1,
    maximum: countMax,
    unit: "handshakes",
    description: "Handshakes at once from an address that was quiet: everybody behind one router coming back.",
  }),
  dials_per_backend: integer({
    default: 64,
    minimum: 1,
    maximum: countMax,
    unit: "handshakes",
    description:
      "Handshakes with one service at once; more wait in order, as long as `gateway.limits.handshake_ms` lets them.",
  }),
  returns_per_second: integer({
    default: 700,
    minimum: 1,
    maximum: countMax,
    unit: "clients/s",
    description:
      "Rate at which clients that lost their service, or found none, are asked to come back; for those that get " +
      "`disconnect` frames, see `gateway.tunnel.disconnect_frame`.",
  }),
  handshake_ms: integer({
    default: 5_000,
    minimum: 10,
    maximum: minuteMs,
    unit: "ms",
    description:
      "Time for the request to arrive, and again for it to be authenticated and a backend to answer; past it the connection is ended.",
  }),
});

const healthSettings = Type.Object({
  interval_ms: integer({
    default: 1_000,
    minimum: 10,
    maximum: hourMs,
    unit: "ms",
    description:
      "Time between two looks at a backend's `/readyz`, at most 250 ms while it is down. One that knows no such path but answers is ready.",
  }),
  timeout_ms: integer({
    default: 2_000,
    minimum: 10,
    maximum: minuteMs,
    unit: "ms",
    description:
      "Time for the answer; two late ones in a row make a backend unavailable, one refused connection does at once.",
  }),
});

const identitySettings = Type.Object({
  exchange: flag({
    default: false,
    description:
      "Whether backends get a token of the gateway's own in place of the caller's. The backends' `auth.hs256_secret` is then " +
      "`gateway.identity.secret`, and their `auth.issuer` and `auth.audience` are the gateway's.",
  }),
  secret: orNull(
    text({
      default: "",
      description: "Secret that the gateway's own tokens are signed with (HS256).",
      allowed: "32 bytes or more (RFC 7518 §3.2)",
      check: (value) => Buffer.byteLength(value) >= 32,
      secret: true,
    }),
    "none",
    true,
  ),
  ttl_ms: integer({
    default: hourMs,
    minimum: 1_000,
    maximum: 24 * hourMs,
    unit: "ms",
    description: "Longest life of such a token; one whose caller's token ends sooner ends with that.",
  }),
});

export const gatewaySettings = Type.Object({
  host: text({
    default: "127.0.0.1",
    description: "Address to listen on; `0.0.0.0` or `::` for every interface; `localhost` is 127.0.0.1.",
    allowed: host,
    check: isHost,
  }),
  port: integer({
    default: 8080,
    minimum: 0,
    maximum: portMax,
    description: "TCP port of the door; 0 takes any free one.",
  }),
  ops_host: text({
    default: "127.0.0.1",
    description:
      "Address of the separate listener for `/livez`, `/readyz`, `/healthz/detailed` and `/metrics`; unused while `gateway.ops_port` is null.",
    allowed: host,
    check: isHost,
  }),
  ops_port: orNull(
    integer({
      default: 0,
      minimum: 0,
      maximum: portMax,
      description: "TCP port of health and metrics, apart from the public one; 0 takes any free one.",
    }),
    "the same listener as `gateway.port`",
    true,
  ),
  upstreams: list(element(isUpstreamUrl), {
    default: [],
    maxItems: listMax,
    description: "The streaming services behind. Read again on SIGHUP and when the configuration file changes.",
    allowed: "an http or https URL without user, password, query or fragment",
  }),
  allowed_origins: list(
    element((value) => value === "*" || isOrigin(value)),
    {
      default: ["*"],
      maxItems: listMax,
      description: "Origins of the web pages that may connect, as `server.allowed_origins`; others get HTTP 403.",
      allowed: "`*` or an origin such as https://console.example.com",
    },
  ),
  allowed_hosts: list(element(isHost), {
    default: [],
    maxItems: listMax,
    description:
      "Names that callers may know the gateway by (`Host`, without its port); others get HTTP 403. Empty is any.",
    allowed: host,
  }),
  trusted_proxies: list(element(isAddressRange), {
    default: [],
    maxItems: listMax,
    description:
      "Proxies in front, whose `X-Forwarded-For` is believed; it is read from the right, up to the first address that is not one of them.",
    allowed: "an IP address or a range such as 10.0.0.0/8",
  }),
  tunnel: tunnelSettings,
  limits: gatewayLimits,
  health: healthSettings,
  identity: identitySettings,
  tls: Type.Object({
    cert_file: file("Certificate chain (PEM) to answer TLS with; read again when it changes."),
    key_file: file("Its private key (PEM)."),
  }),
  drain_ms: integer({
    default: 5_000,
    minimum: 0,
    maximum: 600_000,
    unit: "ms",
    description:
      "Time over which a stopping gateway, or one whose backend is drained, closes its tunnels one after the other.",
  }),
});
