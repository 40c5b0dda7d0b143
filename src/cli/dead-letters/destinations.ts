import { type LabelOutcome, recording } from '../../../streams/recording.ts'
import type { TaskTopics } from '../../../streams/topics.ts'
import type { TaskConfig } from '../../config/task-schema.ts'
import { describeError } from '../../errors.ts'
import { readEventVector } from '../../features/event-vector.ts'
import { featureEventFromJson, labelFromJson } from '../../kafka/serde/json-events.ts'
import type { TaskCodecs } from '../../kafka/serde/task-codecs.ts'
import type { Codec } from '../../kafka/serde-types.ts'
import type { RecordSource } from '../../topology.ts'

/** Why a value is not accepted: the code and the sentence that its dead letter would have. */
export type Fault = { readonly code: string; readonly message: string }

export type Written = { readonly ok: true; readonly value: Uint8Array } | ({ readonly ok: false } & Fault)

/** A topic that letters are sent back to, and what its reader does with a value. */
export type Destination = {
  readonly topic: string
  /** Names of the fields that a repair may set; null where values of this topic cannot be repaired. */
  readonly fields: readonly string[] | null
  /** Why the reader of the topic would refuse the value, or null. @throws SchemaRegistryUnavailable */
  readonly faultOf: (value: Uint8Array | null, source: RecordSource) => Promise<Fault | null>
  /** Fields as the topic's Avro. What is missing there is filled in from the source, as with JSON. */
  readonly write: (members: Readonly<Record<string, unknown>>, source: RecordSource) => Written
}

const encoded = <T>(codec: Codec<T>, message: T): Written => {
  try {
    return { ok: true, value: codec.encode(message) }
  } catch (error) {
    return { ok: false, code: 'BAD_AVRO', message: `it cannot be written as Avro: ${describeError(error)}` }
  }
}

const faultOfLabel = (outcome: LabelOutcome | undefined): Fault | null =>
  outcome?.kind === 'dead-letter' ? { code: outcome.code, message: outcome.message } : null

/** The topics of a task that letters come from, by name. */
export const createDestinations = (options: {
  readonly task: Pick<TaskConfig, 'task' | 'target' | 'features'>
  readonly topics: Pick<TaskTopics, 'features' | 'labels' | 'predictions'>
  readonly codecs: Pick<TaskCodecs, 'features' | 'labels' | 'predictions'>
}): ReadonlyMap<string, Destination> => {
  const { task, topics, codecs } = options
  const featureNames = task.features.map((feature) => feature.name)
  const readFeatures = featureEventFromJson(featureNames)
  const readLabel = labelFromJson(task.target.type === 'regression' ? 'regression' : 'classification')
  const steps = recording({ task: task.task, target: task.target })
  const vector = new Float64Array(featureNames.length)

  const features: Destination = {
    topic: topics.features.name,
    fields: ['event_id', 'event_time', ...featureNames],
    faultOf: async (value, source) => {
      await codecs.features.prepare([value])
      const decoded = codecs.features.decode(value, source)
      return decoded.ok ? readEventVector(decoded.value, task.features, vector, 0) : decoded
    },
    write: (members, source) => {
      const read = readFeatures(members, source)
      if (!read.ok) return read
      const fault = readEventVector(read.value, task.features, vector, 0)
      const written = encoded(codecs.features, read.value)
      // The fault of the event says more than what the encoder stumbles over.
      return fault !== null && !written.ok ? { ok: false, ...fault } : written
    },
  }

  const labels: Destination = {
    topic: topics.labels.name,
    fields: ['event_id', 'label', 'labelled_at'],
    faultOf: async (value, source) => {
      await codecs.labels.prepare([value])
      const decoded = codecs.labels.decode(value, source)
      return decoded.ok ? faultOfLabel(steps.labelOutcomes([{ source, value: decoded.value }])[0]) : decoded
    },
    write: (members, source) => {
      const read = readLabel(members, source)
      return read.ok ? encoded(codecs.labels, read.value) : read
    },
  }

  const predictions: Destination = {
    topic: topics.predictions.name,
    fields: null,
    faultOf: async (value, source) => {
      await codecs.predictions.prepare([value])
      const decoded = codecs.predictions.decode(value, source)
      return decoded.ok ? null : decoded
    },
    write: () => ({
      ok: false,
      code: 'NOT_REPAIRABLE',
      message: 'a prediction is not repaired: score its event again',
    }),
  }

  return new Map([features, labels, predictions].map((destination) => [destination.topic, destination]))
}
