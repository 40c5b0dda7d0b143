import type { Schema } from 'avsc'
import type { EventRows, ScoredRows } from '../../src/event-rows.ts'
import type { FeatureEvent, Prediction } from '../../src/events.ts'
import type { RecordBatch } from '../../src/kafka/kafka-types.ts'
import { type AvroRecord, typeOf } from '../../src/kafka/serde/avro-schemas.ts'
import type { RowFeature } from '../../src/kafka/serde/row-plan.ts'
import type { SchemaRegistry } from '../../src/kafka/serde/schema-registry.ts'
import { createTaskCodecs, type TaskCodecs } from '../../src/kafka/serde/task-codecs.ts'
import type { WriterSchema } from '../../src/kafka/serde/writer-schemas.ts'
import { topicsOf } from '../../streams/topics.ts'
import { createSampleSink, sampleBatch } from './sample-batch.ts'
import { eventSchemas } from './sample-event-schemas.ts'

export type SampleCodecs = TaskCodecs & {
  readonly topics: ReturnType<typeof topicsOf>
  /** Registers what another team writes with, and writes with it. */
  readonly foreignWriter: (schema: AvroRecord) => { id: number; write: (message: object) => Buffer }
  /** A batch of the features topic. */
  readonly batchOf: (values: readonly (Uint8Array | string | null)[]) => RecordBatch
  /** Events as they are read from their topic. They stay as they are, whatever is read later. */
  readonly rowsOf: (events: readonly FeatureEvent[]) => { rows: EventRows; batch: RecordBatch }
  /** What a reader of the predictions topic gets of scored rows, and the rows that have none. */
  readonly published: (
    scored: ScoredRows,
    batch: RecordBatch,
  ) => { predictions: Prediction[]; refused: ReadonlyMap<number, { code: string; message: string }> }
}

/** The codecs of a task over a schema registry in memory. */
export const createSampleCodecs = async (options: {
  readonly task?: string
  readonly features: readonly RowFeature[]
  readonly maxEventBytes?: number
}): Promise<SampleCodecs> => {
  const { task = 'task', features, maxEventBytes = 262_144 } = options
  const topics = topicsOf(task)
  const known = new Map<number, WriterSchema>()
  const addSchema = (schema: AvroRecord): number => {
    const id = known.size + 1
    known.set(id, { kind: 'known', type: typeOf(schema as Schema) })
    return id
  }
  const registry: SchemaRegistry = {
    register: async (_subject, schema) => addSchema(schema),
    ping: async () => undefined,
    writers: {
      has: (id) => known.has(id),
      get: (id) => known.get(id),
      load: async (ids) => {
        for (const id of ids) known.set(id, { kind: 'unknown' })
      },
    },
  }
  const schemas = await eventSchemas()
  const codecs = await createTaskCodecs({ registry, schemas, task, features, classes: null, maxEventBytes, topics })

  const batchOf: SampleCodecs['batchOf'] = (values) =>
    sampleBatch(
      values.map((value, offset) => ({ value, key: `k${offset}`, offset: 40 + offset })),
      { topic: topics.features.name },
    )

  return {
    ...codecs,
    topics,
    foreignWriter: (schema) => {
      const id = addSchema(schema)
      const type = typeOf(schema as Schema)
      const header = Buffer.alloc(5)
      header.writeUInt32BE(id, 1)
      return { id, write: (message) => Buffer.concat([header, type.toBuffer(message)]) }
    },
    batchOf,
    rowsOf: (events) => {
      const batch = batchOf(events.map((event) => Buffer.from(codecs.features.encode(event))))
      return { rows: codecs.eventRows().read(batch).rows, batch }
    },
    published: (scored, batch) => {
      const { sink, records } = createSampleSink()
      const written = codecs.predictionRows(topics.predictions.name).write(scored.rows, scored, batch, sink)
      const predictions = records.map(({ value }) => {
        const decoded = codecs.predictions.decode(value)
        if (!decoded.ok) throw new Error(`${decoded.code}: ${decoded.message}`)
        return decoded.value
      })
      return { predictions, refused: written.failures }
    },
  }
}
