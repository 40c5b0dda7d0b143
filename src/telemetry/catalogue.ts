import { collectDefaultMetrics, Registry } from 'prom-client'

/** One metric as dashboards, alerts and documents may rely on it. */
export type MetricDefinition = {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  /** Names of its own labels; `task` comes on top where `taskLabel` says so. */
  readonly labels: readonly string[]
  /** Whether every series also carries `task`. The metrics of the ingress carry the task in their name instead. */
  readonly taskLabel: boolean
  readonly help: string
  /** Upper bounds of a histogram, in the unit that the name ends with. */
  readonly buckets?: readonly number[]
}

type Definitions = Readonly<Record<string, Omit<MetricDefinition, 'taskLabel'>>>

const batchSeconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const latencySeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]
const loadSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** The label `class` of predicted numbers: one series for all of them. */
export const numberClass = 'number'

/** What the worker of role `score` counts. */
export const scoringDefinitions = {
  events: {
    name: 'driftline_events_total',
    type: 'counter',
    labels: ['outcome'],
    help: 'Feature events that were committed, by outcome: scored or dead_lettered',
  },
  deadLetters: {
    name: 'driftline_dead_letters_total',
    type: 'counter',
    labels: ['code'],
    help: 'Feature events that went to the dead letters, by error code',
  },
  predictions: {
    name: 'driftline_predictions_total',
    type: 'counter',
    labels: ['class', 'model_version'],
    help: 'Committed predictions, by predicted class (number where a number is predicted) and model version',
  },
  unknownCategories: {
    name: 'driftline_unknown_categories_total',
    type: 'counter',
    labels: ['feature'],
    help: 'Scored events whose category the model did not know, by feature',
  },
  stageSeconds: {
    name: 'driftline_stage_seconds',
    type: 'histogram',
    labels: ['stage'],
    help: 'Time that one batch spent in a stage: fetch (reading a reply of the broker), decode, score, encode or commit',
    buckets: batchSeconds,
  },
  eventLatencySeconds: {
    name: 'driftline_event_latency_seconds',
    type: 'histogram',
    labels: [],
    help: 'Time from the timestamp of the oldest event record of a batch to its committed prediction',
    buckets: latencySeconds,
  },
  eventTimeLatencySeconds: {
    name: 'driftline_event_time_latency_seconds',
    type: 'histogram',
    labels: [],
    help: 'Time from the earliest event_time of a batch to its committed prediction',
    buckets: latencySeconds,
  },
  swapSeconds: {
    name: 'driftline_model_swap_seconds',
    type: 'histogram',
    labels: [],
    help: 'Time from the news of a model, or from the first event after it, to the first committed prediction by it',
    buckets: loadSeconds,
  },
} as const satisfies Definitions

/**
 * What every consumer counts. The names and labels that begin with messaging follow the semantic conventions of
 * OpenTelemetry for messaging clients; what they do not name is called after this house.
 */
export const consumerDefinitions = {
  consumed: {
    name: 'messaging_client_consumed_messages_total',
    type: 'counter',
    labels: ['messaging_destination_name', 'messaging_consumer_group_name'],
    help: 'Records that were read and committed, by topic and consumer group',
  },
  sent: {
    name: 'messaging_client_sent_messages_total',
    type: 'counter',
    labels: ['messaging_destination_name'],
    help: 'Records that were written and committed, by topic',
  },
  operationSeconds: {
    name: 'messaging_client_operation_duration_seconds',
    type: 'histogram',
    labels: ['messaging_consumer_group_name', 'messaging_operation_name'],
    help: 'Time of one operation of the client: poll (reading a reply with records) or commit (from the end of processing a batch to the reply to its commit)',
    buckets: batchSeconds,
  },
  processSeconds: {
    name: 'messaging_process_duration_seconds',
    type: 'histogram',
    labels: ['messaging_consumer_group_name'],
    help: 'Time to process one batch',
    buckets: batchSeconds,
  },
  batchRecords: {
    name: 'driftline_batch_records',
    type: 'histogram',
    labels: [],
    help: 'Records in one batch of one partition, which is one transaction where a worker writes exactly once',
    buckets: [1, 5, 10, 50, 100, 250, 500, 1000, 2000, 5000, 10_000, 50_000],
  },
  transactions: {
    name: 'driftline_transactions_total',
    type: 'counter',
    labels: ['group', 'outcome', 'code'],
    help: 'Batches, by outcome: committed, or aborted with the code of what went wrong and tried again',
  },
  rebalances: {
    name: 'driftline_consumer_rebalances_total',
    type: 'counter',
    labels: ['group'],
    help: 'Times that a consumer joined its group anew',
  },
} as const satisfies Definitions

/** How far a consumer group is behind the end of its topic. */
export const lagDefinitions = {
  lag: {
    name: 'driftline_consumer_lag_records',
    type: 'gauge',
    labels: ['group', 'topic', 'partition'],
    help: 'Records between the committed offset of a consumer group and the end of the partition',
  },
} as const satisfies Definitions

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

/** What the ingress counts; the name of the task is the prefix. */
export const apiDefinitions = (task: string) =>
  ({
    requests: {
      name: `${task}_api_requests_total`,
      type: 'counter',
      labels: ['method', 'endpoint', 'status'],
      help: 'HTTP requests, by method, route pattern and status code; 499 where the client did not wait for the reply',
    },
    requestSeconds: {
      name: `${task}_api_request_duration_seconds`,
      type: 'histogram',
      labels: ['method', 'endpoint'],
      help: 'Time from the arrival of an HTTP request to the end of its reply, by method and route pattern',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    },
    predictions: {
      name: `${task}_predictions_total`,
      type: 'counter',
      labels: ['class'],
      help: 'Predictions answered over HTTP, by predicted class (number where a number is predicted)',
    },
    confidence: {
      name: `${task}_prediction_confidence`,
      type: 'histogram',
      labels: [],
      help: 'Probability of the predicted class, over HTTP',
      buckets: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
    },
    modelLoaded: {
      name: `${task}_model_loaded`,
      type: 'gauge',
      labels: [],
      help: '1 while the ingress holds a model, 0 while it does not',
    },
    modelLoadSeconds: {
      name: `${task}_model_load_duration_seconds`,
      type: 'histogram',
      labels: [],
      help: 'Time to read, verify and warm a model before the ingress serves it',
      buckets: loadSeconds,
    },
    health: {
      name: `${task}_api_health`,
      type: 'gauge',
      labels: [],
      help: '1 while the ingress can answer predictions, 0 while it cannot',
    },
    activeRequests: {
      name: `${task}_api_active_requests`,
      type: 'gauge',
      labels: [],
      help: 'HTTP requests that are being answered',
    },
  }) as const satisfies Definitions

/** The metrics of the process itself (memory, CPU, event loop, garbage collection) as this platform gives them. */
const processDefinitions = (): MetricDefinition[] => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  // prom-client's types leave out `labelNames` and give the kind as a number that it never is.
  const metrics = registry.getMetricsAsArray() as unknown as readonly (Omit<
    MetricDefinition,
    'labels' | 'taskLabel'
  > & {
    labelNames: readonly string[]
  })[]
  return metrics.map(({ name, help, type, labelNames }) => ({ name, help, type, labels: labelNames, taskLabel: true }))
}

/** Every metric that the processes of a task expose. Dashboards and alerts are tested against this list. */
export const metricNames = (task: string): MetricDefinition[] => [
  ...[
    scoringDefinitions,
    consumerDefinitions,
    lagDefinitions,
    modelDefinitions,
    recordingDefinitions,
    driftDefinitions,
    shadowDefinitions,
    retrainingDefinitions,
  ].flatMap((group) =>
    Object.values<Omit<MetricDefinition, 'taskLabel'>>(group).map((d) => ({ ...d, taskLabel: true })),
  ),
  ...Object.values<Omit<MetricDefinition, 'taskLabel'>>(apiDefinitions(task)).map((d) => ({ ...d, taskLabel: false })),
  ...processDefinitions(),
]
