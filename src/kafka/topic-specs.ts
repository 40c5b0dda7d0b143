import type { TopicSpec } from './kafka-types.ts'

/** What of the configuration the topics depend on. */
export type StreamShape = { readonly partitions: number; readonly replicationFactor: number }

/** The names of a task's topics, as `topicsOf(task)` gives them. */
export type TopicNames = Readonly<
  Record<
    'features' | 'predictions' | 'shadowPredictions' | 'labels' | 'deadLetters' | 'drift' | 'models',
    { readonly name: string }
  >
>

/** A dead letter is the largest event that its topic takes (1 MiB by default), and headers. */
export const DEAD_LETTER_MAX_BYTES = 2 << 20

type Named = { readonly name: string }

/** What all topics of a task have in common. With three replicas or more, a write has to reach two. */
const specsFor = ({ replicationFactor }: StreamShape) => {
  const durability: Record<string, string> = replicationFactor >= 3 ? { 'min.insync.replicas': '2' } : {}
  const spec = ({ name }: Named, partitions: number, config: Record<string, string> = {}): TopicSpec => ({
    ...{ name, partitions, replicationFactor },
    config: { ...durability, ...config },
  })
  return {
    spec,
    deadLetters: (topic: Named, partitions: number): TopicSpec =>
      spec(topic, partitions, { 'max.message.bytes': String(DEAD_LETTER_MAX_BYTES) }),
  }
}

/**
 * The topics of a task. Predictions and dead letters have the partitions of the features that they come from; drift
 * and models are few and read in order.
 */
export const topicSpecs = (topics: TopicNames, stream: StreamShape): TopicSpec[] => {
  const { spec, deadLetters } = specsFor(stream)
  return [
    spec(topics.features, stream.partitions),
    spec(topics.predictions, stream.partitions),
    spec(topics.shadowPredictions, stream.partitions),
    spec(topics.labels, stream.partitions),
    deadLetters(topics.deadLetters, stream.partitions),
    spec(topics.drift, 1),
    spec(topics.models, 1),
  ]
}

/** The topics that a replay writes to, with as many partitions as what it reads: an output keeps its partition. */
export const replayTopicSpecs = (
  topics: { readonly predictions: Named; readonly deadLetters: Named },
  stream: StreamShape,
): TopicSpec[] => {
  const { spec, deadLetters } = specsFor(stream)
  return [spec(topics.predictions, stream.partitions), deadLetters(topics.deadLetters, stream.partitions)]
}
