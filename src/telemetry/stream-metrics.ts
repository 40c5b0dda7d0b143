import {
  driftDefinitions,
  lagDefinitions,
  recordingDefinitions,
  retrainingDefinitions,
  scoringDefinitions,
} from './catalogue.ts'
import { type Exposition, taskRegistry } from './exposition.ts'
import { type Instruments, instrumentsIn } from './instruments.ts'
import { createModelMetrics, type ModelMetrics } from './model-metrics.ts'

export type StreamRole = 'score' | 'record' | 'watch' | 'retrain'

export type ScoringMetrics = {
  /** One batch was turned into outputs. Told for each attempt, also for one that does not commit. */
  readonly batchProcessed: (batch: { records: number; seconds: number }) => void
  /** Predictions that were committed. `byClass` holds counts by class name. */
  readonly scored: (batch: { modelVersion: string; byClass: ReadonlyMap<string, number> }) => void
  /** Scored events whose category the model did not know, by feature. */
  readonly unknownCategories: (byFeature: ReadonlyMap<string, number>) => void
  /** Dead letters that were committed. */
  readonly deadLettered: (code: string, count?: number) => void
  readonly committed: (seconds: number) => void
  /** From an event record's timestamp to its score. Clocks of two machines may differ: below 0 counts as 0. */
  readonly eventLatency: (seconds: number) => void
}

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
  readonly lag: LagMetrics
  readonly model: ModelMetrics
  readonly recording: RecordingMetrics
  readonly drift: DriftMetrics
  readonly retraining: RetrainingMetrics
}

const createScoringMetrics = (make: Instruments): ScoringMetrics => {
  const events = make.counter(scoringDefinitions.events)
  const deadLetters = make.counter(scoringDefinitions.deadLetters)
  const predictions = make.counter(scoringDefinitions.predictions)
  const unknownCategories = make.counter(scoringDefinitions.unknownCategories)
  const batchRecords = make.histogram(scoringDefinitions.batchRecords)
  const scoringSeconds = make.histogram(scoringDefinitions.scoringSeconds)
  const commitSeconds = make.histogram(scoringDefinitions.commitSeconds)
  const latency = make.histogram(scoringDefinitions.eventLatencySeconds)
  events.inc({ outcome: 'scored' }, 0)
  events.inc({ outcome: 'dead_lettered' }, 0)
  return {
    batchProcessed: ({ records, seconds }) => {
      batchRecords.observe(records)
      scoringSeconds.observe(seconds)
    },
    scored: ({ modelVersion, byClass }) => {
      let total = 0
      for (const [name, count] of byClass) {
        predictions.inc({ class: name, model_version: modelVersion }, count)
        total += count
      }
      events.inc({ outcome: 'scored' }, total)
    },
    unknownCategories: (byFeature) => {
      for (const [feature, count] of byFeature) unknownCategories.inc({ feature }, count)
    },
    deadLettered: (code, count = 1) => {
      deadLetters.inc({ code }, count)
      events.inc({ outcome: 'dead_lettered' }, count)
    },
    committed: (seconds) => commitSeconds.observe(seconds),
    eventLatency: (seconds) => latency.observe(Math.max(0, seconds)),
  }
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
  score: ['scoring', 'lag', 'model'],
  record: ['recording', 'lag'],
  watch: ['drift', 'lag', 'model'],
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
    lag: createLagMetrics(make('lag')),
    model: createModelMetrics(make('model')),
    recording: createRecordingMetrics(make('recording')),
    drift: createDriftMetrics(make('drift')),
    retraining: createRetrainingMetrics(make('retraining')),
  }
}
