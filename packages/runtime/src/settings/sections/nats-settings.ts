// `nats.*`: the NATS cluster that several nodes share, for `log.engine=jetstream`.
import Type from "typebox";
import { isNatsUrl } from "../endpoint-address.js";
import { choice, element, flag, integer, list, orNull, text } from "../setting.js";

const serversMax = 32;
const textLengthMax = 4_096;
const replicasMax = 5;

/** Longest `nats.prefix` and `nats.stream`; a subject is made of the first. */
const nameLengthMax = 64;
const name = /^[A-Za-z0-9_-]+$/;
const allowedName = `1 to ${nameLengthMax} letters, digits, _ and -`;
const isShortName = (value: string) => value.length <= nameLengthMax && name.test(value);

/** Shortest time that a publish is tried again for, ms: a stream elects a new leader within it. */
const publishRetryMsMin = 10_000;

const isText = (value: string) => value.trim() !== "" && value.length <= textLengthMax && !value.includes("\0");

function file(description: string) {
  return orNull(text({ default: "", description, allowed: "a path", check: isText }), "none", true);
}

function secret(description: string) {
  const allowed = `a string of 1 to ${textLengthMax} characters`;
  return orNull(text({ default: "", secret: true, description, allowed, check: isText }), "none", true);
}

export const natsSettings = Type.Object({
  servers: list(element(isNatsUrl), {
    default: ["nats://127.0.0.1:4222"],
    description:
      "Servers of the cluster, any of which is connected to; the others are learned from it. Credentials have settings of their own.",
    allowed: "a URL such as nats://nats-1:4222, or tls://nats-1:4222, without user and password",
    minItems: 1,
    maxItems: serversMax,
  }),
  node: orNull(
    text({
      default: "",
      description: "Name of this node in `GET /api/v1/connections`, in its logs and in NATS. One node, one name.",
      allowed: allowedName,
      check: isShortName,
    }),
    "the host's name and the process's number",
    true,
  ),
  credentials_file: file("Credentials file (`.creds`: a user's JWT and key) to connect with."),
  user: orNull(
    text({
      default: "",
      description: "User to connect as, with `nats.password`; while there is no `nats.credentials_file`.",
      allowed: `a string of 1 to ${textLengthMax} characters`,
      check: isText,
    }),
    "none",
    true,
  ),
  password: secret("Password of `nats.user`."),
  token: secret("Token to connect with instead of a user."),
  tls: Type.Object({
    enabled: flag({ default: false, description: "Whether the servers are spoken to by TLS alone." }),
    ca_file: file("Certificates (PEM) of the authorities that the servers' are signed by; the machine's own if null."),
    cert_file: file("Our certificate (PEM), where the servers ask for one."),
    key_file: file("Its private key (PEM)."),
  }),
  stream: text({
    default: "SLUICE",
    description: "Name of the stream that holds the events; made when missing, refused where it does not fit.",
    allowed: allowedName,
    check: isShortName,
  }),
  prefix: text({
    default: "sluice",
    description:
      "First token of all subjects: `<prefix>.events.<cluster>.<event>` for events, `<prefix>.nodes.>` between nodes. Another service of its own on the same cluster needs another prefix and another stream.",
    allowed: allowedName,
    check: isShortName,
  }),
  replicas: integer({
    default: 3,
    minimum: 1,
    maximum: replicasMax,
    unit: "servers",
    description:
      "How many servers keep each event. A publish is acknowledged when more than half of them have it; 1 is for trying out.",
  }),
  storage: choice(["file", "memory"], {
    default: "file",
    description: "Where the servers keep events: in files, or in memory (lost when all of them end).",
  }),
  publish_retry_ms: integer({
    default: 15_000,
    minimum: publishRetryMsMin,
    maximum: 120_000,
    unit: "ms",
    description:
      "How long a publish is tried again, under the same message ids, while the stream has no leader; then 503. Ids are remembered for at least twice as long.",
  }),
});
