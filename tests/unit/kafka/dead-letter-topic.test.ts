import { expect, test } from 'vitest'
import { openDeadLetterTopic } from '../../../src/kafka/dead-letter-topic.ts'
import { KafkaUnsuitable } from '../../../src/kafka/kafka-errors.ts'
import { MAX_DEAD_LETTER_BYTES } from '../../../src/kafka/record-size.ts'

const adminOf = (maxMessageBytes: string | undefined) => ({
  partitionsOf: async () => 3,
  topicConfig: async () => new Map(maxMessageBytes === undefined ? [] : [['max.message.bytes', maxMessageBytes]]),
})

const open = async (maxMessageBytes: string | undefined) => {
  const warnings: string[] = []
  const target = await openDeadLetterTopic(adminOf(maxMessageBytes), 'dead', (text) => void warnings.push(text))
  return { target, warnings }
}

test('a topic that takes the largest letter is taken as it is', async () => {
  for (const limit of ['2097152', '100000000', undefined]) {
    expect(await open(limit)).toEqual({
      target: { topic: 'dead', partitions: 3, maxBytes: MAX_DEAD_LETTER_BYTES },
      warnings: [],
    })
  }
})

test('one that takes less gets shorter letters, and a warning that says what to do', async () => {
  const { target, warnings } = await open('1048588')
  expect(target.maxBytes).toBe(1_048_488)
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('max.message.bytes=2097152')
})

test('one that takes less than any topic has to is refused', async () => {
  await expect(open('500000')).rejects.toThrow(KafkaUnsuitable)
})
