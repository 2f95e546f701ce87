import type { CommitReport } from "./log/log-options.js";
export function createServerMetrics() {
  return { registry: { contentType: "text/plain", metrics: async () => "" }, observeCommit: (_report: CommitReport) => {}, publishMeter: { accepted: () => {}, refused: () => {} }, watch: (_sources: unknown) => {}, close: () => {} };
}
