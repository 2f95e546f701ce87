// Every cell that `npm run bench` knows, in the order in which it runs them.

import type { Cell } from "./cell.js";
import { fanOutCell, fanOutSmallCell, fixedRateCell } from "./cells/fan-out.js";

export const catalogue: readonly Cell[] = [fanOutCell, fanOutSmallCell, fixedRateCell];
