import type { DriftEvent, FeatureEvent, Label, ModelEvent, Prediction } from '../../events.ts'
import type { Codec, DecodeFailure } from '../serde-types.ts'
import { createAvroCodec } from './avro-codec.ts'
import { type AvroRecord, type EventSchemas, featureEventSchema, lenientEventSchema } from './avro-schemas.ts'
import { checkEventId, checkFinite, checkTime } from './event-checks.ts'
import { createEventRowReader, type EventRowReader } from './event-row-reader.ts'
import { featureEventFromJson, labelFromJson } from './json-events.ts'
import { createPredictionWriter, type PredictionWriter } from './prediction-writer.ts'
import type { RowFeature } from './row-plan.ts'
import type { SchemaRegistry } from './schema-registry.ts'

export type TaskCodecs = MessageCodecs & {
  /** A reader of feature events by the batch, with memory of its own. */
  readonly eventRows: () => EventRowReader
  /** A writer of scored rows as predictions to a topic, with memory of its own. */
  readonly predictionRows: (topic: string) => PredictionWriter
}

/** One message after another. */
type MessageCodecs = {
  readonly features: Codec<FeatureEvent>
  readonly predictions: Codec<Prediction>
  readonly labels: Codec<Label>
  readonly drift: Codec<DriftEvent>
  readonly models: Codec<ModelEvent>
}

export type TaskCodecsOptions = {
  readonly registry: SchemaRegistry
  readonly schemas: EventSchemas
  readonly task: string
  readonly features: readonly RowFeature[]
  /** The names that a label may have; null where a label is a number. */
  readonly classes: readonly string[] | null
  /** A larger event goes to the dead letters unread. */
  readonly maxEventBytes: number
  /** Names of the topics; the subject of each is `<topic>-value`. */
  readonly topics: Readonly<Record<keyof MessageCodecs, { readonly name: string }>>
}

/** Registers the schemas of a task and makes their codecs. @throws SchemaRefused, SchemaRegistryUnavailable */
export const createTaskCodecs = async (options: TaskCodecsOptions): Promise<TaskCodecs> => {
  const { registry, schemas, task, features, classes, maxEventBytes, topics } = options
  const known = new Set(classes)
  // Whether the text of a label is a number is seen where it is read as one.
  const checkLabel = (label: string): DecodeFailure | null =>
    classes === null || known.has(label)
      ? null
      : { ok: false, code: 'UNKNOWN_LABEL', message: `${JSON.stringify(label)} is none of the task's classes` }

  const common = async (topic: { readonly name: string }, schema: AvroRecord) => ({
    name: topic.name,
    schema,
    schemaId: await registry.register(`${topic.name}-value`, schema),
    writers: registry.writers,
    maxBytes: Number.POSITIVE_INFINITY,
  })
  // What others write is limited; what we write follows from it, and the broker's limit is enough.
  const limited = { maxBytes: maxEventBytes }

  const schema = featureEventSchema(schemas.featureEvent, features, task)
  const readerSchema = lenientEventSchema(schemas.featureEvent, features, task)
  // All at once: a role waits for the slowest of them when it starts.
  const [featuresKind, predictionsKind, labelsKind, driftKind, modelsKind] = await Promise.all([
    common(topics.features, schema),
    common(topics.predictions, schemas.prediction),
    common(topics.labels, schemas.label),
    common(topics.drift, schemas.driftEvent),
    common(topics.models, schemas.modelEvent),
  ])
  const eventCodec = createAvroCodec<FeatureEvent>({
    ...featuresKind,
    ...limited,
    readerSchema,
    readJson: featureEventFromJson(features.map((feature) => feature.name)),
    check: ({ event_id, event_time }) => checkEventId(event_id) ?? checkTime('event_time', event_time),
  })

  return {
    features: eventCodec,
    eventRows: () =>
      createEventRowReader({
        codec: eventCodec,
        schema,
        readerSchema,
        writers: registry.writers,
        features,
        maxBytes: maxEventBytes,
      }),
    predictionRows: (topic) =>
      createPredictionWriter({ topic, schema: schemas.prediction, schemaId: predictionsKind.schemaId }),
    predictions: createAvroCodec<Prediction>({
      ...predictionsKind,
      check: ({ event_id, event_time, scored_at, confidence, value, probabilities }) =>
        checkEventId(event_id) ??
        checkTime('event_time', event_time) ??
        checkTime('scored_at', scored_at) ??
        checkFinite('a probability', [confidence ?? 0, ...probabilities]) ??
        checkFinite('the predicted value', [value ?? 0]),
    }),
    labels: createAvroCodec<Label>({
      ...labelsKind,
      ...limited,
      readJson: labelFromJson(classes === null ? 'regression' : 'classification'),
      check: ({ event_id, label, labelled_at }) =>
        checkEventId(event_id) ?? checkTime('labelled_at', labelled_at) ?? checkLabel(label),
    }),
    drift: createAvroCodec<DriftEvent>(driftKind),
    models: createAvroCodec<ModelEvent>(modelsKind),
  }
}
