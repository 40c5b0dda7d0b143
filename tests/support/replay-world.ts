import { createDecideLetter } from '../../src/cli/dead-letters/decide-letter.ts'
import type { Destination } from '../../src/cli/dead-letters/destinations.ts'
import { type PreparedReplay, prepareReplay, type ReplayDeps } from '../../src/cli/dead-letters/replay-letters.ts'
import { deadLetterOf } from '../../src/kafka/dead-letters.ts'
import type { KafkaAdmin, KafkaClient, OutgoingRecord } from '../../src/kafka/kafka-types.ts'
import { topicsOf } from '../../streams/topics.ts'

/** A letter of an event whose value is its id. */
export const letterOf = (task: string, i: number, partitions: number): OutgoingRecord => {
  const { features, deadLetters } = topicsOf(task)
  const id = Buffer.from(`e${i}`)
  const source = {
    topic: features.name,
    partition: i % partitions,
    offset: BigInt(i),
    timestamp: 1000 + i,
    headers: {},
  }
  const target = { topic: deadLetters.name, partitions, failedAt: Date.now() }
  return deadLetterOf({ ...source, key: id, value: id }, { code: 'BAD_AVRO', message: 'short' }, target)
}

/** A replay of all letters of a task, of which every value is accepted. */
export const prepareWholeReplay = (
  task: string,
  kafka: { readonly client: ReplayDeps['client']; readonly admin: KafkaAdmin },
  change: Partial<ReplayDeps> = {},
): Promise<PreparedReplay> => {
  const { features, deadLetters } = topicsOf(task)
  const destination: Destination = {
    topic: features.name,
    fields: null,
    faultOf: async () => null,
    write: () => ({ ok: false, code: 'NOT_REPAIRABLE', message: '' }),
  }
  const destinations = new Map([[features.name, destination]])
  const decide = createDecideLetter({ destinations, repair: null, force: false, admin: kafka.admin })
  return prepareReplay(
    {
      ...{ ...kafka, task, deadLetterTopic: deadLetters.name, sources: new Set([features.name]), decide },
      ...{ by: 'test', now: Date.now },
      ...change,
    },
    {
      filter: { codes: null, sinceMs: null, untilMs: null, topics: null },
      rules: { maxAttempts: 3, again: false },
      limit: null,
    },
  )
}

export type ReplayClient = Pick<KafkaClient, 'readRanges' | 'transactionalProducer'>
