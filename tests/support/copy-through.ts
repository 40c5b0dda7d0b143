import { resolve } from 'node:path'
import { expect } from 'vitest'
import { type CommittedRecord, readCommitted } from '../../dev/stack/console-consumer.ts'
import type { KafkaClientName } from '../../src/config/kafka-schema.ts'
import { createKafkaClient } from '../../src/kafka/create-client.ts'
import type { OutgoingRecord, RecordBatch, RecordSink } from '../../src/kafka/kafka-types.ts'
import { recordsOf } from '../../src/kafka/record-batch.ts'
import { eventually } from './eventually.ts'
import { uniqueName } from './kafka.ts'
import { testLogger } from './test-logger.ts'

/** The topics and the group of one copy: what a fault may be aimed at. */
export type Copy = { readonly input: string; readonly output: string; readonly group: string }

/** A fault. Not waited for by the worker: it strikes while transactions are under way. */
export type Strike = (copy: Copy) => Promise<unknown>

export type CopyOptions = {
  readonly brokers: string
  readonly client: KafkaClientName
  readonly partitions?: number
  readonly replicationFactor?: number
  /** Records to copy; more are sent while faults are still to come. */
  readonly count?: number
  readonly batchMaxRecords?: number
  readonly sessionTimeoutMs?: number
  readonly transactionTimeoutMs?: number
  /** Faults, one after another, each once more records went through after the one before it was over. */
  readonly strikes: readonly Strike[]
  readonly timeoutMs?: number
}

const PARTITIONS = 3
const RECORDS_BETWEEN = 500

const numberOf = ({ key }: CommittedRecord): number => Number(key?.slice(1))

/** Writes each record to `output` as it is, on its partition. */
export const copyTo =
  (output: string) =>
  (batch: RecordBatch, sink: RecordSink): void => {
    for (const { partition, key, value } of recordsOf(batch)) sink.add({ topic: output, partition, key, value })
  }

/** Records to be copied: `e0`, `e1` and so on, over all partitions in turn. */
export const eventsOf = (topic: string, from: number, to: number, partitions: number): OutgoingRecord[] =>
  Array.from({ length: to - from }, (_, i) => ({
    topic,
    partition: (from + i) % partitions,
    key: Buffer.from(`e${from + i}`),
    value: Buffer.from(`v${from + i}`),
  }))

/** Checks with Kafka's own reader that each of the first `count` events was copied once and in order. */
export const expectCopied = async (
  { brokers, partitions = PARTITIONS }: Pick<CopyOptions, 'brokers' | 'partitions'>,
  output: string,
  count: number,
): Promise<void> => {
  const copied: CommittedRecord[] = []
  await readCommitted({
    brokers,
    topic: output,
    home: resolve('.driftline'),
    onRecord: (record) => copied.push(record),
  })
  const found = copied.map(numberOf)
  expect(found.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i))
  for (let partition = 0; partition < partitions; partition++) {
    const inOrder = copied.filter((record) => record.partition === partition).map(numberOf)
    expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b))
  }
}

/**
 * Copies a topic exactly once while faults strike, and checks with Kafka's own reader that every record was copied
 * once and in order, that nothing waits, and that the consumer did not end.
 */
export const copyThrough = async (options: CopyOptions): Promise<void> => {
  const { brokers, client: name, partitions = PARTITIONS, replicationFactor = 1, count = 6000, strikes } = options
  const { batchMaxRecords = 50, sessionTimeoutMs = 6000, transactionTimeoutMs = 4000, timeoutMs = 150_000 } = options
  const client = await createKafkaClient(name, { brokers: brokers.split(','), clientId: 'copy', logger: testLogger() })
  const copy: Copy = { input: uniqueName('topic'), output: uniqueName('topic'), group: uniqueName('group') }
  const admin = await client.admin()
  const producer = await client.producer()
  await admin.ensureTopics([copy.input, copy.output].map((topic) => ({ name: topic, partitions, replicationFactor })))
  await producer.send(eventsOf(copy.input, 0, count, partitions))
  // Their connections would be hit as well: what is asked during the faults is asked anew.
  await Promise.all([producer.close(), admin.close()])

  const copyRecords = copyTo(copy.output)
  const pending = [...strikes]
  let committed = 0
  let nextAt = RECORDS_BETWEEN
  let striking: Promise<unknown> | undefined
  let failure: unknown
  const onStruck = (): void => {
    striking = undefined
    nextAt = committed + RECORDS_BETWEEN
  }
  const consumer = await client.runExactlyOnce({
    group: copy.group,
    topic: copy.input,
    batchMaxRecords,
    batchGoalMs: 1000,
    sessionTimeoutMs,
    transactionTimeoutMs,
    process: (batch, sink) => {
      copyRecords(batch, sink)
      if (striking !== undefined || committed < nextAt) return
      const strike = pending.shift()
      if (strike === undefined) return
      striking = strike(copy).then(onStruck, (error: unknown) => {
        failure ??= error
        onStruck()
      })
    },
    observer: {
      committed: ({ records }) => {
        committed += records
      },
    },
  })
  consumer.done.catch((error: unknown) => {
    failure ??= error
  })
  try {
    await eventually(
      async () => {
        if (failure !== undefined) return
        await striking
        const fresh = await client.admin()
        try {
          const lag = await fresh.consumerLag(copy.group, copy.input)
          expect([...lag.values()]).toEqual(Array(partitions).fill(0n))
        } finally {
          await fresh.close()
        }
      },
      { timeoutMs, everyMs: 300 },
    )
    if (failure !== undefined) throw failure
    expect(pending, 'faults that did not come to strike').toEqual([])
  } finally {
    await consumer.stop({ deadlineMs: 20_000 }).catch(() => undefined)
  }

  await expectCopied(options, copy.output, count)
}
