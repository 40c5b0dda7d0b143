import { writeSync } from 'node:fs'
import type { KafkaClientName } from '../../../src/config/kafka-schema.ts'
import { createRandom } from '../../../src/features/random.ts'
import { eventually } from '../eventually.ts'
import { createKafkaBench, createTestClient } from '../kafka.ts'
import { createSmallTask } from '../small-task.ts'

/** What a worker is told on its command line, as JSON. */
export type FaultOrder = {
  readonly task: string
  readonly client: KafkaClientName
  readonly seed: number
  /** Probability, at each step of each transaction, of being killed. */
  readonly kill: number
  /** The same of being stopped, until somebody lets the process go on. */
  readonly pause: number
  readonly sessionTimeoutMs: number
  readonly transactionTimeoutMs: number
}

/** Scores a small task, and now and then kills or stops its own process at a step of a transaction, by a seed. */
const order = JSON.parse(process.argv[2] ?? '') as FaultOrder
const random = createRandom(order.seed, 'faults')

const suffer = (fault: 'kill' | 'stop', step: string): void => {
  // Written at once, since nothing buffered would survive.
  writeSync(1, `${fault} ${step}\n`)
  process.kill(process.pid, fault === 'kill' ? 'SIGKILL' : 'SIGSTOP')
}

const client = await createTestClient(order.client, {
  clientId: `faulty-${order.seed}`,
  onStep: async (step) => {
    const chance = random.next()
    if (chance >= order.kill + order.pause) return
    // The commit is on its way: let it get to the broker, or not.
    if (step === 'commit-sent') await new Promise((resolve) => setTimeout(resolve, random.below(4)))
    suffer(chance < order.kill ? 'kill' : 'stop', step)
  },
})
const bench = await createKafkaBench(client)
// A schema registry that is slow on a busy machine is no fault of this program's.
const task = await eventually(() => createSmallTask({ bench, name: order.task, existing: true }))
const { sessionTimeoutMs, transactionTimeoutMs } = order
const running = await task.score(client, { limits: { batchMaxRecords: 100, sessionTimeoutMs, transactionTimeoutMs } })
writeSync(1, 'ready\n')
process.once('SIGTERM', async () => {
  await running.stop()
  await bench.close()
  process.exit(0)
})
await running.done
