import { type Definitions, loadSeconds } from './metric-definition.ts'

/** The model that a process serves with. */
export const modelDefinitions = {
  info: {
    name: 'driftline_model_info',
    type: 'gauge',
    labels: ['version'],
    help: 'Always 1; the label names the model version that serves in this process',
  },
  epoch: {
    name: 'driftline_model_epoch',
    type: 'gauge',
    labels: [],
    help: 'Epoch of the aliases that the serving model was taken from; 0 while there is none',
  },
  swaps: {
    name: 'driftline_model_swaps_total',
    type: 'counter',
    labels: ['result'],
    help: 'Model swaps, by result: swapped or rejected',
  },
  loadSeconds: {
    name: 'driftline_model_load_seconds',
    type: 'histogram',
    labels: [],
    help: 'Time to read, verify and warm a model before it may serve',
    buckets: loadSeconds,
  },
} as const satisfies Definitions

/** What the role `record` counts. */
export const recordingDefinitions = {
  recorded: {
    name: 'driftline_recorded_total',
    type: 'counter',
    labels: ['kind'],
    help: 'Rows written to the history, by kind: prediction, label or dead_letter',
  },
  liveAccuracy: {
    name: 'driftline_live_accuracy',
    type: 'gauge',
    labels: ['model_version'],
    help: 'Share of the recent labelled predictions of a model version that were right, 0 to 1',
  },
  liveR2: {
    name: 'driftline_live_r2',
    type: 'gauge',
    labels: ['model_version'],
    help: 'Share of the variance of the recent labels that a model version explains, at most 1; of predicted numbers',
  },
  liveRmse: {
    name: 'driftline_live_rmse',
    type: 'gauge',
    labels: ['model_version'],
    help: "Root of the mean squared error of the recent labelled predictions of a model version, in the target's unit",
  },
  labelledEvents: {
    name: 'driftline_labelled_events',
    type: 'gauge',
    labels: ['model_version'],
    help: 'Labelled predictions of a model version in the window of the live figures',
  },
} as const satisfies Definitions

/** What the role `watch` counts. */
export const driftDefinitions = {
  statistic: {
    name: 'driftline_drift_statistic',
    type: 'gauge',
    labels: ['feature', 'test'],
    help: 'Effect in the last window against the reference, 0 to 1, by feature and test: ks, chi_square or missing_rate',
  },
  pValue: {
    name: 'driftline_drift_p_value',
    type: 'gauge',
    labels: ['feature', 'test'],
    help: 'Adjusted p-value of the last window, by feature and test',
  },
  windows: {
    name: 'driftline_drift_windows_total',
    type: 'counter',
    labels: ['result'],
    help: 'Windows compared with the reference, by result: drifted, quiet or insufficient',
  },
  alarms: {
    name: 'driftline_drift_alarms_total',
    type: 'counter',
    labels: [],
    help: 'Drift alarms raised',
  },
} as const satisfies Definitions

/** What the role `shadow` counts. */
export const shadowDefinitions = {
  events: {
    name: 'driftline_shadow_events_total',
    type: 'counter',
    labels: ['model_version', 'outcome'],
    help: 'Feature events that a shadow was given, by version and outcome: scored or refused',
  },
  compared: {
    name: 'driftline_shadow_compared_total',
    type: 'counter',
    labels: ['model_version', 'production_version'],
    help: 'Feature events that both a shadow and the version in production scored',
  },
  disagreements: {
    name: 'driftline_shadow_disagreements_total',
    type: 'counter',
    labels: ['model_version', 'production_version'],
    help: 'Compared events with another class than production gave; of numbers, those that differ by more than 1 %',
  },
  differences: {
    name: 'driftline_shadow_difference_total',
    type: 'counter',
    labels: ['model_version', 'production_version'],
    help: 'Sum over the compared events of the mean absolute difference of the probabilities, or of the absolute difference of the numbers',
  },
  unread: {
    name: 'driftline_shadow_unread_total',
    type: 'counter',
    labels: ['code'],
    help: 'Feature events that could not be read, by error code; the role score writes the dead letter',
  },
  models: {
    name: 'driftline_shadow_models',
    type: 'gauge',
    labels: ['model_version', 'state'],
    help: 'Always 1; the labels name the versions that are shadows and their state: active or refused',
  },
} as const satisfies Definitions

/** What the role `retrain` counts. */
export const retrainingDefinitions = {
  queueJobs: {
    name: 'driftline_retrain_queue_jobs',
    type: 'gauge',
    labels: ['state'],
    help: 'Retraining jobs in the queue, by state',
  },
  jobs: {
    name: 'driftline_retrain_jobs_total',
    type: 'counter',
    labels: ['status'],
    help: 'Finished retraining jobs, by what they ended with',
  },
  seconds: {
    name: 'driftline_retrain_seconds',
    type: 'histogram',
    labels: [],
    help: 'Time that a retraining job ran',
    buckets: [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600],
  },
} as const satisfies Definitions
