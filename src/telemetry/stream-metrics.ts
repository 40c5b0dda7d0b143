import { type ConsumerMetrics, createConsumerMetrics } from './consumer-metrics.ts'
import { type Exposition, taskRegistry } from './exposition.ts'
import { type Instruments, instrumentsIn } from './instruments.ts'
import { createModelMetrics, type ModelMetrics } from './model-metrics.ts'
import { driftDefinitions, recordingDefinitions, retrainingDefinitions } from './roles-catalogue.ts'
import { createScoringMetrics, type ScoringMetrics } from './scoring-metrics.ts'
import { createShadowMetrics, type ShadowMetrics } from './shadow-metrics.ts'
import { lagDefinitions } from './stream-catalogue.ts'

export type StreamRole = 'score' | 'shadow' | 'record' | 'watch' | 'retrain'

export type LagMetrics = {
  /** @param lags log end minus committed offset, by partition */
  readonly set: (group: string, topic: string, lags: Iterable<readonly [partition: number, lag: bigint]>) => void
}

export type RecordingMetrics = {
  readonly recorded: (kind: 'prediction' | 'label' | 'dead_letter', count: number) => void
  /** Replaces the figures of all versions; a version without labelled predictions has no accuracy. */
  readonly liveAccuracy: (
    versions: readonly { model_version: string; labelled: number; accuracy: number | null }[],
  ) => void
  /** As `liveAccuracy`, where numbers are predicted. */
  readonly liveErrors: (
    versions: readonly { model_version: string; labelled: number; r2: number | null; rmse: number | null }[],
  ) => void
}

export type DriftMetrics = {
  readonly window: (result: 'drifted' | 'quiet' | 'insufficient') => void
  /** Replaces what the last window showed: not every feature can be tested in every window. */
  readonly features: (
    features: readonly { feature: string; test: string; statistic: number; adjusted_p_value: number }[],
  ) => void
  readonly alarm: () => void
}

export type RetrainingMetrics = {
  /** Replaces the counts of all states. */
  readonly queueJobs: (counts: Readonly<Record<string, number>>) => void
  /** @param status what a finished job ended with, or `failed` */
  readonly jobFinished: (status: string, seconds: number) => void
}

export type StreamMetrics = Exposition & {
  readonly scoring: ScoringMetrics
  readonly consumer: ConsumerMetrics
  readonly lag: LagMetrics
  readonly model: ModelMetrics
  readonly recording: RecordingMetrics
  readonly drift: DriftMetrics
  readonly shadow: ShadowMetrics
  readonly retraining: RetrainingMetrics
}

const createLagMetrics = (make: Instruments): LagMetrics => {
  const lag = make.gauge(lagDefinitions.lag)
  return {
    set: (group, topic, lags) => {
      for (const [partition, records] of lags) lag.set({ group, topic, partition }, Number(records))
    },
  }
}

const createRecordingMetrics = (make: Instruments): RecordingMetrics => {
  const recorded = make.counter(recordingDefinitions.recorded)
  const accuracy = make.gauge(recordingDefinitions.liveAccuracy)
  const r2Gauge = make.gauge(recordingDefinitions.liveR2)
  const rmseGauge = make.gauge(recordingDefinitions.liveRmse)
  const labelled = make.gauge(recordingDefinitions.labelledEvents)
  for (const kind of ['prediction', 'label', 'dead_letter']) recorded.inc({ kind }, 0)
  return {
    recorded: (kind, count) => recorded.inc({ kind }, count),
    liveAccuracy: (versions) => {
      accuracy.reset()
      labelled.reset()
      for (const version of versions) {
        const { model_version } = version
        labelled.set({ model_version }, version.labelled)
        if (version.accuracy !== null) accuracy.set({ model_version }, version.accuracy)
      }
    },
    liveErrors: (versions) => {
      for (const gauge of [r2Gauge, rmseGauge, labelled]) gauge.reset()
      for (const { model_version, labelled: count, r2, rmse } of versions) {
        labelled.set({ model_version }, count)
        if (r2 !== null) r2Gauge.set({ model_version }, r2)
        if (rmse !== null) rmseGauge.set({ model_version }, rmse)
      }
    },
  }
}

const createDriftMetrics = (make: Instruments): DriftMetrics => {
  const statistic = make.gauge(driftDefinitions.statistic)
  const pValue = make.gauge(driftDefinitions.pValue)
  const windows = make.counter(driftDefinitions.windows)
  const alarms = make.counter(driftDefinitions.alarms)
  for (const result of ['drifted', 'quiet', 'insufficient']) windows.inc({ result }, 0)
  return {
    window: (result) => windows.inc({ result }),
    features: (features) => {
      statistic.reset()
      pValue.reset()
      for (const { feature, test, ...found } of features) {
        statistic.set({ feature, test }, found.statistic)
        pValue.set({ feature, test }, found.adjusted_p_value)
      }
    },
    alarm: () => alarms.inc(),
  }
}

/** What a retraining job can end with. */
const retrainStatuses = ['promoted', 'rejected', 'insufficient_labels', 'superseded', 'failed']

const createRetrainingMetrics = (make: Instruments): RetrainingMetrics => {
  const queueJobs = make.gauge(retrainingDefinitions.queueJobs)
  const jobs = make.counter(retrainingDefinitions.jobs)
  const seconds = make.histogram(retrainingDefinitions.seconds)
  for (const status of retrainStatuses) jobs.inc({ status }, 0)
  return {
    queueJobs: (counts) => {
      queueJobs.reset()
      for (const [state, count] of Object.entries(counts)) queueJobs.set({ state }, count)
    },
    jobFinished: (status, ranSeconds) => {
      jobs.inc({ status })
      seconds.observe(ranSeconds)
    },
  }
}

/** What each role exposes; the other groups of its `StreamMetrics` may be called and count for nobody. */
const groupsOf: Readonly<Record<StreamRole, readonly (keyof StreamMetrics)[]>> = {
  score: ['scoring', 'consumer', 'lag', 'model'],
  shadow: ['shadow', 'consumer', 'lag', 'model'],
  record: ['recording', 'consumer', 'lag'],
  watch: ['drift', 'consumer', 'lag', 'model'],
  retrain: ['retraining'],
}

/**
 * The metrics of a stream role, in a registry of their own.
 * @param role whose metrics are exposed; all of them without it. A role does not show zeros for what others count.
 */
export const createStreamMetrics = (task: string, role?: StreamRole): StreamMetrics => {
  const registry = taskRegistry(task)
  const exposed = instrumentsIn(registry)
  const hidden = instrumentsIn(null)
  const make = (group: keyof StreamMetrics): Instruments =>
    role === undefined || groupsOf[role].includes(group) ? exposed : hidden
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    scoring: createScoringMetrics(make('scoring')),
    consumer: createConsumerMetrics(make('consumer')),
    lag: createLagMetrics(make('lag')),
    model: createModelMetrics(make('model')),
    recording: createRecordingMetrics(make('recording')),
    drift: createDriftMetrics(make('drift')),
    shadow: createShadowMetrics(make('shadow')),
    retraining: createRetrainingMetrics(make('retraining')),
  }
}
