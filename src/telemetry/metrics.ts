// What the rest of the house imports of the metrics.
export { type ApiMetrics, createApiMetrics } from './api-metrics.ts'
export { metricNames } from './catalogue.ts'
export type { ConsumerMetrics } from './consumer-metrics.ts'
export type { Exposition } from './exposition.ts'
export type { MetricDefinition } from './metric-definition.ts'
export type { ModelMetrics } from './model-metrics.ts'
export type { ScoringMetrics, ScoringStage } from './scoring-metrics.ts'
export type { ShadowMetrics } from './shadow-metrics.ts'
export {
  createStreamMetrics,
  type DriftMetrics,
  type LagMetrics,
  type RecordingMetrics,
  type RetrainingMetrics,
  type StreamMetrics,
  type StreamRole,
} from './stream-metrics.ts'
