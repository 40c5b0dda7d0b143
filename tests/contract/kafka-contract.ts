import { afterEach, beforeEach, expect } from 'vitest'
import type { KafkaClientOptions } from '../../src/kafka/client-options.ts'
import type {
  ConsumerObserver,
  ExactlyOnceOptions,
  KafkaClient,
  OutgoingRecord,
  RecordBatch,
  RecordSink,
  RunningConsumer,
} from '../../src/kafka/kafka-types.ts'
import { recordAt } from '../../src/kafka/record-batch.ts'
import { eventually } from '../support/eventually.ts'
import { createKafkaBench, type KafkaBench } from '../support/kafka.ts'

export type KafkaClientFactory = (
  options?: Partial<
    Pick<KafkaClientOptions, 'brokers' | 'compression' | 'onStep' | 'beforeHeartbeat' | 'stallTimeoutMs'>
  >,
) => KafkaClient

const SESSION = { sessionTimeoutMs: 6000, transactionTimeoutMs: 4000 }

export const numbered = (topic: string, from: number, to: number, partitions: number): OutgoingRecord[] =>
  Array.from({ length: to - from }, (_, i) => ({
    topic,
    partition: (from + i) % partitions,
    key: Buffer.from(`k${from + i}`),
    value: Buffer.from(`v${from + i}`),
  }))

/** Writes each record to `output` as it is, on its partition. */
export const copyTo =
  (output: string) =>
  (batch: RecordBatch, sink: RecordSink): void => {
    for (let i = 0; i < batch.length; i++) {
      const { partition, key, value } = recordAt(batch, i)
      sink.add({ topic: output, partition, key, value })
    }
  }

/** Tells of each commit. */
export const onCommitted = (tell: NonNullable<ConsumerObserver['committed']>): { observer: ConsumerObserver } => ({
  observer: { committed: tell },
})

/** The offsets of a batch. */
export const offsetsOf = (batch: RecordBatch): number[] => [...batch.offsets.subarray(0, batch.length)]

export const keysOf = (records: readonly { key: string | null }[]): (string | null)[] =>
  records.map((record) => record.key)
export const keysUpTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${i}`).sort()

type RunOptions = Partial<ExactlyOnceOptions> & Pick<ExactlyOnceOptions, 'group' | 'topic' | 'process'>

/** What one client does and another cannot. */
export type KafkaClientTraits = {
  /** Partitions that a member has before and after a rebalance go on without a stop. */
  readonly keepsPartitions: boolean
}

/** What the tests of one implementation share; `bench` is a new one in each test. */
export type KafkaContract = {
  readonly traits: KafkaClientTraits
  readonly create: KafkaClientFactory
  readonly bench: () => KafkaBench
  readonly lagOf: (group: string, topic: string) => Promise<bigint>
  readonly caughtUp: (group: string, topic: string) => Promise<void>
  /** Runs exactly once with a short session; stopped after the test. */
  readonly run: (client: KafkaClient, options: RunOptions) => Promise<RunningConsumer>
}

export const createKafkaContract = (create: KafkaClientFactory, traits: KafkaClientTraits): KafkaContract => {
  let bench: KafkaBench
  beforeEach(async () => {
    bench = await createKafkaBench(create())
  })
  afterEach(() => bench.close())

  const lagOf = async (group: string, topic: string): Promise<bigint> =>
    [...(await bench.admin.consumerLag(group, topic)).values()].reduce((sum, lag) => sum + lag, 0n)

  return {
    traits,
    create,
    bench: () => bench,
    lagOf,
    caughtUp: (group, topic) =>
      eventually(async () => expect(await lagOf(group, topic)).toBe(0n), { timeoutMs: 50_000, everyMs: 200 }),
    run: async (client, options) =>
      bench.track(await client.runExactlyOnce({ batchMaxRecords: 100, batchGoalMs: 1000, ...SESSION, ...options })),
  }
}
