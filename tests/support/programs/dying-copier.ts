import { writeSync } from 'node:fs'
import type { KafkaClientName } from '../../../src/config/kafka-schema.ts'
import { createKafkaClient } from '../../../src/kafka/create-client.ts'
import type { TransactionStep } from '../../../src/kafka/transaction-steps.ts'
import { type Copy, copyTo } from '../copy-through.ts'
import { testLogger } from '../test-logger.ts'

/** What a worker is told on its command line, as JSON. */
export type DyingOrder = Copy & {
  readonly brokers: string
  readonly client: KafkaClientName
  readonly diesAt: TransactionStep
  readonly sessionTimeoutMs: number
  readonly transactionTimeoutMs: number
}

/** Copies a topic until it comes to a step for the first time. There it ends as a process without power does. */
const order = JSON.parse(process.argv[2] ?? '') as DyingOrder
const { sessionTimeoutMs, transactionTimeoutMs } = order

const client = await createKafkaClient(order.client, {
  brokers: order.brokers.split(','),
  clientId: 'dying-copier',
  logger: testLogger(),
  onStep: (step) => {
    if (step !== order.diesAt) return
    writeSync(1, `${step}\n`)
    process.kill(process.pid, 'SIGKILL')
  },
})
const running = await client.runExactlyOnce({
  group: order.group,
  topic: order.input,
  batchMaxRecords: 50,
  batchGoalMs: 1000,
  sessionTimeoutMs,
  transactionTimeoutMs,
  process: copyTo(order.output),
})
await running.done
