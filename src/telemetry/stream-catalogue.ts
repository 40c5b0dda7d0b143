import { batchSeconds, type Definitions, latencySeconds, loadSeconds } from './metric-definition.ts'

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
    help: 'Transactions with events, by outcome: committed, or aborted with the code of what went wrong and tried again',
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
