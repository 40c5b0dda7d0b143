import { setTimeout as pause } from 'node:timers/promises'
import type { FeatureSpec } from '../../features/feature-spec.ts'
import type { PlainProducer } from '../../kafka/kafka-types.ts'
import type { KafkaParts } from '../roles/kafka-parts.ts'
import type { StoryObservation, StoryProgress, StoryWorld } from './play.ts'
import { badValue, toFeatureEvent } from './story-records.ts'
import type { StorySource } from './story-source.ts'

const tickMs = 25

/** The story's hands: it writes events and labels to their topics, as any producer would. */
export const createStoryWorld = (options: {
  kafka: KafkaParts
  producer: PlainProducer
  source: StorySource
  features: readonly FeatureSpec[]
  observe: () => Promise<StoryObservation>
  onProgress: (progress: StoryProgress) => void
}): StoryWorld => {
  const { kafka, producer, source } = options
  const { features, labels } = kafka.codecs
  return {
    now: Date.now,
    tick: () => pause(tickMs),
    sendEvents: async (events) => {
      await producer.send(
        events.map((event) => ({
          topic: kafka.topics.features.name,
          key: Buffer.from(event.id),
          value: features.encode(toFeatureEvent(event)),
        })),
      )
    },
    sendBad: async (id, kind) => {
      const example = toFeatureEvent({ number: 0, id, eventTime: Date.now(), values: source.next(false).values })
      const value = badValue(kind, example, options.features, features.encode)
      await producer.send([{ topic: kafka.topics.features.name, key: Buffer.from(id), value }])
    },
    sendLabels: async (due) => {
      await producer.send(
        due.map(({ id, label, labelledAt }) => ({
          topic: kafka.topics.labels.name,
          key: Buffer.from(id),
          value: labels.encode({ event_id: id, label, labelled_at: labelledAt }),
        })),
      )
    },
    observe: options.observe,
    onProgress: options.onProgress,
  }
}
