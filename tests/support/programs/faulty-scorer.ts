import { writeSync } from 'node:fs'
import type { KafkaClientName } from '../../../src/config/kafka-schema.ts'
import { createRandom } from '../../../src/features/random.ts'
import type { TransactionStep } from '../../../src/kafka/transaction-steps.ts'
import { eventually } from '../eventually.ts'
import { createKafkaBench, createTestClient } from '../kafka.ts'
import { createSmallTask } from '../small-task.ts'

export type PlannedFault = { readonly fault: 'kill' | 'stop'; readonly step: TransactionStep }

/** What a worker is told on its command line, as JSON. */
export type FaultOrder = {
  readonly task: string
  readonly client: KafkaClientName
  readonly seed: number
  /** Faults that come for sure and first: one after another, each as soon as its step comes. */
  readonly plan: readonly PlannedFault[]
  /** Probability, at each step of each transaction, of being killed. */
  readonly kill: number
  /** The same of being stopped, until somebody lets the process go on. */
  readonly pause: number
  readonly sessionTimeoutMs: number
  readonly transactionTimeoutMs: number
}

/** Scores a small task, and kills or stops its own process at steps of transactions: by a plan, then by a seed. */
const order = JSON.parse(process.argv[2] ?? '') as FaultOrder
const plan = [...order.plan]
let suffering = false
const random = createRandom(order.seed, 'faults')

const suffer = async (fault: PlannedFault['fault'], step: TransactionStep): Promise<void> => {
  suffering = true
  // The commit is on its way: let it get to the broker, or not.
  if (step === 'commit-sent') await new Promise((resolve) => setTimeout(resolve, random.below(4)))
  // Written at once, since nothing buffered would survive.
  writeSync(1, `${fault} ${step}\n`)
  process.kill(process.pid, fault === 'kill' ? 'SIGKILL' : 'SIGSTOP')
  suffering = false
}

const client = await createTestClient(order.client, {
  clientId: `faulty-${order.seed}`,
  onStep: async (step) => {
    // Another partition is at a step that is waited for: one fault at a time, or the plan would lose one.
    if (suffering) return
    const next = plan[0]
    if (next !== undefined) {
      if (next.step !== step) return
      plan.shift()
      return await suffer(next.fault, step)
    }
    const chance = random.next()
    if (chance < order.kill + order.pause) await suffer(chance < order.kill ? 'kill' : 'stop', step)
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
