import { describeEventLog } from "./event-log-contract.js";
import { createMemoryLog } from "./memory-log.js";

describeEventLog("memory", (options) => Promise.resolve(createMemoryLog(options)));
