export * from "./clock.js";
export { boundPipelining, isAnswering } from "./door/bound-pipelining.js";
export { cutStalled } from "./door/cut-stalled.js";
export { ByteBudget } from "./door/byte-budget.js";
export { FrameTracker, type FrameFault, type FrameTrackerOptions } from "./door/frame-tracker.js";
export { createHttpAuth, type HttpAuthOptions, type RequireIdentity } from "./door/http-auth.js";
export { isHostAndPort } from "./door/handshake-grammar.js";
export { handshakeProblem, isOriginAllowed, pathOf, websocketPaths, type HandshakeRequest } from "./door/handshake.js";
export { encodeProblem, problemMediaType, sendProblem, type Problem, type ProblemMembers } from "./door/problem.js";
export { faultProblem, problemServerOptions, registerProblemHandlers } from "./door/problem-handlers.js";
export { refuseUpgrade } from "./door/refuse-upgrade.js";
export { listenHost } from "./door/listen-host.js";
export { restDeadlines } from "./door/rest-deadlines.js";
export { registerWebSocketPaths } from "./door/websocket-paths.js";
export { TokenBucket, type TokenBucketOptions } from "./door/token-bucket.js";
export * from "./identity/index.js";
export { keepHeapCompact } from "./lifecycle/compact-heap.js";
export { settleHeap } from "./lifecycle/settled-heap.js";
export { every } from "./lifecycle/every.js";
export { DeadlineError, withDeadline } from "./lifecycle/deadline.js";
export { type EndSignal, serviceExitCodes, signalExitCode } from "./lifecycle/exit-codes.js";
export { shutDown, type ShutdownLogger, type ShutdownStage } from "./lifecycle/shutdown.js";
export {
  type ProcessEvents,
  superviseProcess,
  type SuperviseOptions,
  type Supervision,
} from "./lifecycle/supervise-process.js";
export { type SettingKey, settingKeys } from "./settings/catalogue.js";
export { defaultSettings } from "./settings/defaults.js";
export { isLoopback } from "./settings/endpoint-address.js";
export { loadSettings, type LoadSettingsOptions, type LoadSettingsOutcome } from "./settings/load-settings.js";
export { formatProblem, type SettingProblem, type SettingSource } from "./settings/problem.js";
export { printSettings, type PrintSettingsOptions } from "./settings/print-settings.js";
export type { Settings } from "./settings/schema.js";
export { settingsMarkdown } from "./settings/settings-markdown.js";
export { settingsWith, type SettingsOverrides } from "./settings/settings-with.js";
export { scrub } from "./telemetry/scrub.js";
export { gatewayMetricsTable, handshakeBuckets } from "./telemetry/gateway-metrics-table.js";
export { HistogramInstrument, type HistogramCounts } from "./telemetry/histogram-instrument.js";
export { LabelledInstrument, otherLabel } from "./telemetry/labelled-instrument.js";
export type { Instruments, MetricDefinition, MetricTable } from "./telemetry/metric-table.js";
export { createLogDestination, type LogDestination, type LogDestinationOptions } from "./telemetry/log-destination.js";
export { createLogger, type Logger, type LoggerOptions } from "./telemetry/logger.js";
export { metricsMarkdown } from "./telemetry/metrics-markdown.js";
export { NumberInstrument } from "./telemetry/number-instrument.js";
export { aggregateMetrics, readMetrics, type MetricsReading } from "./telemetry/aggregate-metrics.js";
export { createMetricsRegistry, registerMetrics } from "./telemetry/register-metrics.js";
export { deliveryLatencyBuckets, serverMetricsTable } from "./telemetry/server-metrics-table.js";
