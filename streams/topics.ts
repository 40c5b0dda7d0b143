import type { DriftEvent, FeatureEvent, Label, ModelEvent, Prediction } from '../src/events.ts'
import type { TopicRef } from '../src/topology.ts'

/** The topics of one task. A prediction keeps its event's key and partition, so both topics have as many partitions. */
export type TaskTopics = {
  readonly features: TopicRef<FeatureEvent>
  readonly predictions: TopicRef<Prediction>
  /** What shadows said of the same events; nobody acts on it. */
  readonly shadowPredictions: TopicRef<Prediction>
  readonly labels: TopicRef<Label>
  readonly deadLetters: TopicRef<Uint8Array>
  readonly drift: TopicRef<DriftEvent>
  readonly models: TopicRef<ModelEvent>
}

export const topicsOf = (task: string): TaskTopics => ({
  features: { name: `${task}.features` },
  predictions: { name: `${task}.predictions` },
  shadowPredictions: { name: `${task}.shadow-predictions` },
  labels: { name: `${task}.labels` },
  deadLetters: { name: `${task}.dead-letters` },
  drift: { name: `${task}.drift` },
  models: { name: `${task}.models` },
})
