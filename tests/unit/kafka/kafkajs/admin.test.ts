import type { Admin, Kafka } from 'kafkajs'
import { expect, test } from 'vitest'
import { createKafkaAdmin } from '../../../../src/kafka/kafkajs/admin.ts'

const protocol = (type: string): Error => Object.assign(new Error(type), { type })

/**
 * A cluster whose broker has not heard of a new topic yet. Its client waits for leaders as kafkajs does: it gives up
 * where the broker does not know the topic.
 * @param asked how often the broker is asked in vain
 */
const slowCluster = (asked: number, created: 'by us' | 'by another' = 'by us') => {
  let left = asked
  const calls: string[] = []
  const fetchTopicMetadata = async () => {
    calls.push('metadata')
    left -= 1
    if (left >= 0) throw protocol('UNKNOWN_TOPIC_OR_PARTITION')
    return { topics: [{ name: 'demo.models', partitions: [] }] }
  }
  const admin = {
    on: () => () => undefined,
    connect: async () => undefined,
    disconnect: async () => undefined,
    listTopics: async () => [],
    createTopics: async ({ waitForLeaders = true }) => {
      calls.push('create')
      if (waitForLeaders) await fetchTopicMetadata()
      return created === 'by us'
    },
    fetchTopicMetadata,
  }
  const kafka = { admin: () => admin as unknown as Admin } as unknown as Kafka
  return { calls, admin: () => createKafkaAdmin(kafka) }
}

const spec = { name: 'demo.models', partitions: 1, replicationFactor: 1 }

test.each(['by us', 'by another'] as const)(
  'a topic that was made %s is there when the call returns',
  async (created) => {
    const { calls, admin } = slowCluster(2, created)
    await (await admin()).ensureTopics([spec])
    expect(calls).toEqual(['create', 'metadata', 'metadata', 'metadata'])
  },
)
