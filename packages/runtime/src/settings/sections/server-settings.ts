// `server.*`: where the streaming service listens and how it leaves.
import Type from "typebox";
import { isHost, isOrigin } from "../endpoint-address.js";
import { element, flag, integer, list, orNull, text } from "../setting.js";

const portMax = 65_535;
const host = "an IP address or a host name";

export const serverSettings = Type.Object({
  host: text({
    default: "127.0.0.1",
    description: "Address to listen on; `0.0.0.0` or `::` for every interface; `localhost` is 127.0.0.1.",
    allowed: host,
    check: isHost,
  }),
  port: integer({
    default: 8081,
    minimum: 0,
    maximum: portMax,
    description: "TCP port of the WebSocket and HTTP interface; 0 takes any free one.",
  }),
  ops_host: text({
    default: "127.0.0.1",
    description:
      "Address of the separate listener for `/livez`, `/readyz` and `/metrics`; unused while `server.ops_port` is null.",
    allowed: host,
    check: isHost,
  }),
  ops_port: orNull(
    integer({
      default: 0,
      minimum: 0,
      maximum: portMax,
      description: "TCP port of `/livez`, `/readyz` and `/metrics`, apart from the public one; 0 takes any free one.",
    }),
    "the same listener as `server.port`",
    true,
  ),
  allowed_origins: list(
    element((value) => value === "*" || isOrigin(value)),
    {
      default: ["*"],
      maxItems: 1_000,
      description:
        "Origins of the web pages that may connect; others get HTTP 403. `*` is any, which is safe because only bearer " +
        "tokens count here and never cookies. Clients that send no `Origin` are not browsers and always may.",
      allowed: "`*` or an origin such as https://console.example.com",
    },
  ),
  workers: integer({
    default: 1,
    minimum: 1,
    maximum: 64,
    description:
      "Processes that share the listening port, each with connections of its own; one more writes the log. As many as " +
      "there are cores for it. More than 1 needs the `embedded` log.",
  }),
  compression: flag({
    default: false,
    description:
      "Offer `permessage-deflate` (RFC 7692), without context takeover, to WebSocket clients that ask for it: an event of " +
      "512 bytes or more is compressed once, for all of them. It saves bandwidth and costs 20 to 40 µs an event.",
  }),
  drain_ms: integer({
    default: 5_000,
    minimum: 0,
    maximum: 600_000,
    unit: "ms",
    description:
      "Time over which a stopping server sends its clients away, so that they come back elsewhere evenly and not all at once.",
  }),
});
