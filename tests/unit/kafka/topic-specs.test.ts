import { expect, test } from 'vitest'
import { replayTopicSpecs, topicSpecs } from '../../../src/kafka/topic-specs.ts'
import { topicsOf } from '../../../streams/topics.ts'

test('makes the seven topics of a task', () => {
  const specs = topicSpecs(topicsOf('task'), { partitions: 6, replicationFactor: 1 })
  expect(specs.map((spec) => [spec.name, spec.partitions])).toEqual([
    ['task.features', 6],
    ['task.predictions', 6],
    ['task.shadow-predictions', 6],
    ['task.labels', 6],
    ['task.dead-letters', 6],
    ['task.drift', 1],
    ['task.models', 1],
  ])
  // The largest event and the headers of its failure.
  expect(Number(specs[4]?.config?.['max.message.bytes'])).toBeGreaterThan(1_048_588 + 10_000)
})

test('with replicas, a write has to reach two of them', () => {
  for (const spec of topicSpecs(topicsOf('task'), { partitions: 1, replicationFactor: 3 })) {
    expect(spec.config?.['min.insync.replicas']).toBe('2')
  }
})

test('a replay writes to topics with the partitions of what it reads', () => {
  const topics = { predictions: { name: 'again' }, deadLetters: { name: 'again.dead-letters' } }
  const specs = replayTopicSpecs(topics, { partitions: 3, replicationFactor: 3 })
  expect(specs.map(({ name, partitions }) => [name, partitions])).toEqual([
    ['again', 3],
    ['again.dead-letters', 3],
  ])
  expect(specs[1]?.config).toEqual({ 'min.insync.replicas': '2', 'max.message.bytes': String(2 << 20) })
})
