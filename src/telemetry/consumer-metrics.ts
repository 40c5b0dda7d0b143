import type { Instruments } from './instruments.ts'
import { consumerDefinitions } from './stream-catalogue.ts'

/** What the consumer of one group tells of its work; shaped as the Kafka layer calls it. */
export type ConsumerTelemetry = {
  readonly fetched: (fetch: { readonly records: number; readonly ms: number }) => void
  readonly committed: (batch: {
    readonly topic: string
    readonly records: number
    readonly transactions: number
    readonly processMs: number
    readonly commitMs: number
  }) => void
  readonly aborted: (batch: { readonly code: string }) => void
  readonly rebalanced: () => void
}

export type ConsumerMetrics = {
  /** The observer of one consumer group. */
  readonly of: (group: string) => ConsumerTelemetry
  /** Records that were written to a topic and committed. */
  readonly sent: (topic: string, records: number) => void
}

/** The metrics that every consumer has, under the names that OpenTelemetry's messaging conventions give them. */
export const createConsumerMetrics = (make: Instruments): ConsumerMetrics => {
  const consumed = make.counter(consumerDefinitions.consumed)
  const sent = make.counter(consumerDefinitions.sent)
  const operations = make.histogram(consumerDefinitions.operationSeconds)
  const processing = make.histogram(consumerDefinitions.processSeconds)
  const batchRecords = make.histogram(consumerDefinitions.batchRecords)
  const transactions = make.counter(consumerDefinitions.transactions)
  const rebalances = make.counter(consumerDefinitions.rebalances)
  return {
    of: (group) => {
      const ofGroup = { messaging_consumer_group_name: group }
      rebalances.inc({ group }, 0)
      transactions.inc({ group, outcome: 'committed', code: '' }, 0)
      return {
        fetched: ({ ms }) => operations.observe({ ...ofGroup, messaging_operation_name: 'poll' }, ms / 1000),
        committed: ({ topic, records, transactions: made, processMs, commitMs }) => {
          consumed.inc({ ...ofGroup, messaging_destination_name: topic }, records)
          operations.observe({ ...ofGroup, messaging_operation_name: 'commit' }, commitMs / 1000)
          processing.observe(ofGroup, processMs / 1000)
          batchRecords.observe(records)
          transactions.inc({ group, outcome: 'committed', code: '' }, made)
        },
        aborted: ({ code }) => transactions.inc({ group, outcome: 'aborted', code }),
        rebalanced: () => rebalances.inc({ group }),
      }
    },
    sent: (topic, records) => sent.inc({ messaging_destination_name: topic }, records),
  }
}
