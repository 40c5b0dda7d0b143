import { afterEach, beforeEach, expect, test } from 'vitest'
import { kafkaClientNames } from '../../src/config/kafka-schema.ts'
import type { KeyedRecord } from '../../src/kafka/kafka-types.ts'
import { createDeadLetterLog } from '../../src/telemetry/dead-letter-log.ts'
import { createKafkaBench, createTestClient, type KafkaBench } from '../support/kafka.ts'
import { createSmallTask, type SmallTask } from '../support/small-task.ts'

const GOOD = 20_000
/** For each good event so many that cannot be scored, and of every kind. */
const POISON_PER_GOOD = 2
/**
 * A bad record may take as much of the worker's processor as this many good ones. It is two on a machine at rest, since
 * its letter has three times the bytes of a prediction, and up to six where much else runs.
 */
const MOST_PROCESSOR_TIME = 10

let bench: KafkaBench
const tasks: SmallTask[] = []
beforeEach(async () => {
  bench = await createKafkaBench()
})
afterEach(async () => {
  await bench.close()
  // Not before: a producer asks for all topics that it ever wrote to.
  for (const task of tasks.splice(0)) await task.close()
})

/** Scores what is written, and tells what it took. */
const drain = async (clientName: (typeof kafkaClientNames)[number], poisonPerGood: number) => {
  const task = await createSmallTask({ bench, partitions: 2 })
  tasks.push(task)
  const { codecs, topics } = task
  const client = await createTestClient(clientName)
  const good = (i: number, a = i % 5): Buffer =>
    Buffer.from(codecs.features.encode({ event_id: `good-${i}`, event_time: 1000 + i, a, b: null }))
  const bad: readonly ((i: number) => Buffer)[] = [
    (i) => Buffer.from(`poison ${i}`),
    (i) => good(i).subarray(0, -1),
    (i) => good(i, Number.NaN),
    (i) => Buffer.from(`{"event_id":"bad-${i}", oops`),
    (i) => Buffer.from(`{"event_id":"bad-${i}"}`),
  ]
  const records: KeyedRecord[] = []
  for (let i = 0; i < GOOD; i++) {
    const place = { topic: topics.features.name, partition: i % 2, key: null }
    records.push({ ...place, value: good(i) })
    for (let p = 0; p < poisonPerGood; p++) {
      const k = i * poisonPerGood + p
      records.push({ ...place, value: bad[k % bad.length]!(k) })
    }
  }
  await bench.producer.send(records)

  const lines: unknown[] = []
  const log = createDeadLetterLog({ warn: (line: unknown) => void lines.push(line) }, () => performance.now())
  const done = Promise.withResolvers<void>()
  let outputs = 0
  let letters = 0
  let firstAt = 0
  let processor = process.cpuUsage()
  const running = await task.score(client, {
    limits: { batchMaxRecords: 2000, batchGoalMs: 100, sessionTimeoutMs: 10_000, transactionTimeoutMs: 8000 },
    onProcessed: () => {
      if (firstAt > 0) return
      firstAt = performance.now()
      processor = process.cpuUsage()
    },
    onCommitted: (batch) => {
      outputs += batch.outputs
      letters += batch.deadLetters.length
      log.tell(batch.deadLetters, {
        codeOf: ({ reason }) => reason.code,
        describe: ({ reason, offset }) => ({ ...reason, topic: batch.topic, partition: 0, offset: String(offset) }),
      })
      if (outputs + letters >= records.length) done.resolve()
    },
  })
  await Promise.race([done.promise, running.done])
  const seconds = (performance.now() - firstAt) / 1000
  const { user, system } = process.cpuUsage(processor)
  await running.stop()
  return {
    outputs,
    letters,
    seconds,
    lines: lines.length,
    processorUs: user + system,
  }
}

test.each(kafkaClientNames)(
  'good events among many bad ones keep flowing on %s',
  async (client) => {
    // What the first run pays for (code that is not compiled yet) is no part of the comparison.
    await drain(client, POISON_PER_GOOD)
    const calm = await drain(client, 0)
    const storm = await drain(client, POISON_PER_GOOD)
    expect(calm).toMatchObject({ outputs: GOOD, letters: 0 })
    expect(storm).toMatchObject({ outputs: GOOD, letters: GOOD * POISON_PER_GOOD })
    // By the processor's time: elapsed time tells of whatever else runs on this machine.
    const extra = (storm.processorUs - calm.processorUs) / storm.letters
    expect(extra).toBeLessThan((MOST_PROCESSOR_TIME * calm.processorUs) / GOOD)
    // The log tells of a storm and is none itself.
    expect(storm.lines).toBeLessThan(20 + 10 * storm.seconds)
  },
  240_000,
)
