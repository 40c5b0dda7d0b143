import { writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { KafkaClientName } from '../../../src/config/kafka-schema.ts'
import { createRandom } from '../../../src/features/random.ts'
import { createKafkaClient } from '../../../src/kafka/create-client.ts'
import { kafkaBrokers } from '../kafka.ts'
import { prepareWholeReplay } from '../replay-world.ts'
import { testLogger } from '../test-logger.ts'

/** What a replay is told on its command line, as JSON. */
export type ReplayOrder = {
  readonly task: string
  readonly client: KafkaClientName
  readonly seed: number
  /** Probability, at each transaction, of being killed before, while or after it is committed. */
  readonly kill: number
}

/** Sends all letters of a task back, and perhaps kills its own process at a transaction, by a seed. */
const order = JSON.parse(process.argv[2] ?? '') as ReplayOrder
const random = createRandom(order.seed, 'faults')

const die = (when: string): void => {
  // Written at once, since nothing buffered would survive.
  writeSync(1, `killed ${when} a commit\n`)
  process.kill(process.pid, 'SIGKILL')
}

const client = await createKafkaClient(order.client, {
  brokers: kafkaBrokers(),
  clientId: `faulty-replay-${order.seed}`,
  logger: testLogger(),
})
const admin = await client.admin()
const faulty = {
  readRanges: client.readRanges,
  transactionalProducer: async (options: Parameters<typeof client.transactionalProducer>[0]) => {
    const producer = await client.transactionalProducer(options)
    return {
      ...producer,
      commit: async (records: Parameters<typeof producer.commit>[0]) => {
        const chance = random.next() / order.kill
        if (chance < 1 / 4) die('before')
        const committing = producer.commit(records)
        // On its way: records written or not, the commit asked for or not.
        if (chance < 3 / 4) {
          await pause(random.below(12))
          die('during')
        }
        await committing
        if (chance < 1) die('after')
      },
    }
  },
}
const replay = await prepareWholeReplay(order.task, { client: faulty, admin })
const { sent } = await replay.send()
writeSync(1, `sent ${sent}\n`)
await admin.close()
