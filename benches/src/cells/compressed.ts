// Events compressed for everybody who asked: once each, or once for each socket.

import { ratioOf, type Cell } from "../cell.js";
import { runFanOut } from "../fan-out-run.js";

const eventBytes = 1024;
const connections = 1000;
const headers = { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits" };

export const compressedCell: Cell = {
  name: "compressed",
  summary: `events of ${eventBytes} bytes to ${connections} subscribers that take permessage-deflate`,
  columns: [
    { figure: "deliveriesPerS", title: "deliveries/s" },
    { figure: "cpuSPerMillion", title: "server CPU s per 1M", digits: 3 },
    { figure: "bytesPerDelivery", title: "bytes a delivery" },
    { figure: "rssMiB", title: "server RSS MiB" },
    { figure: "clientCpuPercent", title: "client CPU %" },
  ],
  variants: ({ seconds }) => [
    {
      name: "sluice compressed",
      measure: () =>
        runFanOut({
          server: "sluice",
          source: { perSecond: null, eventBytes, settings: { server: { compression: true } } },
          seconds,
          load: { connections, headers },
        }),
    },
    {
      name: "sluice plain",
      measure: () =>
        runFanOut({ server: "sluice", source: { perSecond: null, eventBytes }, seconds, load: { connections } }),
    },
    {
      name: "ws compressed",
      measure: () =>
        runFanOut({
          server: "ws",
          source: { perSecond: null, eventBytes, deflate: true },
          seconds,
          load: { connections, headers },
        }),
    },
  ],
  findings: (medians) => [
    ...ratioOf(medians, ["ws compressed", "sluice compressed"], "cpuSPerMillion", "CPU per delivery"),
    ...ratioOf(medians, ["sluice compressed", "sluice plain"], "cpuSPerMillion", "CPU per delivery"),
  ],
};
