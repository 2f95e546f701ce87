// Every cell that `npm run bench` knows, in the order in which it runs them.

import type { Cell } from "./cell.js";
import { capacityCell } from "./cells/capacity.js";
import { catchUpCell } from "./cells/catch-up.js";
import { compressedCell } from "./cells/compressed.js";
import { connectCell, idleCell } from "./cells/connections.js";
import { fanOutCell, fanOutSmallCell, fixedRateCell } from "./cells/fan-out.js";
import { gatewayCell, gatewayTunnelsCell } from "./cells/gateway.js";
import { publishCell } from "./cells/publish.js";
import { laggardsCell } from "./cells/laggards.js";
import { mixedCell, selectiveCell } from "./cells/selective.js";
import { nodesCell } from "./cells/nodes.js";
import { slowReplayCell } from "./cells/slow-replay.js";
import { workersCell } from "./cells/workers.js";
import { slowCell } from "./cells/slow.js";

export const catalogue: readonly Cell[] = [
  fanOutCell,
  fanOutSmallCell,
  fixedRateCell,
  capacityCell,
  selectiveCell,
  mixedCell,
  slowCell,
  workersCell,
  compressedCell,
  slowReplayCell,
  catchUpCell,
  laggardsCell,
  publishCell,
  connectCell,
  idleCell,
  gatewayCell,
  gatewayTunnelsCell,
  nodesCell,
];
