export { copyLog, type CopyLogOptions, type CopyProgress, type CopyReport } from "./copy-log.js";
export { createEchoServer, type EchoServer } from "./create-echo-server.js";
export { createServer, type CreateServerOptions, type SluiceServer } from "./create-server.js";
export { LogError, type LogErrorCode } from "./log/event-log.js";
export type { PublishOutcome } from "./endpoint/publisher.js";
export { openLog, type OpenLogOptions } from "./open-log.js";
export { isWorker, startService } from "./start-service.js";
