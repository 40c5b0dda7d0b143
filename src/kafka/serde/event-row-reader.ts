import type { Schema } from 'avsc'
import type { EventRows } from '../../event-rows.ts'
import type { FeatureEvent } from '../../events.ts'
import type { BatchReader } from '../batch-stages.ts'
import type { DeadLetterReason } from '../dead-letters.ts'
import type { RecordBatch } from '../kafka-types.ts'
import type { Codec } from '../serde-types.ts'
import { type AvroRecord, typeOf } from './avro-schemas.ts'
import { createEventColumns } from './event-columns.ts'
import { createRowDecoder } from './row-decoder.ts'
import { type RowFeature, type RowPlan, rowPlanOf } from './row-plan.ts'
import { HEADER_BYTES } from './wire-format.ts'
import type { WriterSchemas } from './writer-schemas.ts'

export type EventRowReader = BatchReader<EventRows>

export type EventRowReaderOptions = {
  /** Reads what is not read column by column, and tells what is wrong with what cannot be read. */
  readonly codec: Codec<FeatureEvent>
  readonly schema: AvroRecord
  /** What values written with other schemas are read as. */
  readonly readerSchema: AvroRecord
  readonly writers: WriterSchemas
  /** In the order of the rows. */
  readonly features: readonly RowFeature[]
  /** A larger value is refused unread. */
  readonly maxBytes: number
}

/**
 * Reads the feature events of a batch straight from its bytes into columns. Schemas whose fields are plain values, or
 * null beside one, are read by a plan that is made once per schema id. Whatever is not plainly fine (another schema,
 * JSON, a number that is out of its range, text that is no UTF-8) is read by the codec, so that there is one place
 * that says what an event may be.
 */
export const createEventRowReader = (options: EventRowReaderOptions): EventRowReader => {
  const { codec, writers, features, maxBytes } = options
  const width = features.length
  const hasCategories = features.some(({ type }) => type === 'category')
  const names = features.map(({ name }) => name)
  const decodeRow = createRowDecoder(features)
  const readerType = typeOf(options.readerSchema as Schema)
  const plans = new Map<number, RowPlan | null>([
    [codec.schemaId, rowPlanOf(typeOf(options.schema as Schema), features)],
  ])

  let columns = createEventColumns(0, width, hasCategories)

  /** The plan of a schema; null where there is none, which is not remembered of a schema that is not known. */
  const planOf = (id: number): RowPlan | null => {
    const kept = plans.get(id)
    if (kept !== undefined) return kept
    const writer = writers.get(id)
    if (writer?.kind !== 'known') return null
    let plan: RowPlan | null = null
    try {
      readerType.createResolver(writer.type, { ignoreNamespaces: true })
      plan = rowPlanOf(writer.type, features)
    } catch {
      // It does not fit: the codec tells each record why.
    }
    plans.set(id, plan)
    return plan
  }

  /** The id of the schema of a value in the wire format that is not too large, else -1. */
  const schemaIdAt = ({ bytes, valueStarts, valueEnds }: RecordBatch, place: number): number => {
    const start = valueStarts[place]!
    const size = valueEnds[place]! - start
    if (start < 0 || size < HEADER_BYTES || size > maxBytes || bytes[start] !== 0) return -1
    return ((bytes[start + 1]! << 24) | (bytes[start + 2]! << 16) | (bytes[start + 3]! << 8) | bytes[start + 4]!) >>> 0
  }

  const decodeSlowly = (batch: RecordBatch, place: number) => {
    const { topic, partition, bytes, keyStarts, keyEnds, valueStarts, valueEnds } = batch
    const valueStart = valueStarts[place]!
    const keyStart = keyStarts[place]!
    return codec.decode(valueStart < 0 ? null : bytes.subarray(valueStart, valueEnds[place]!), {
      topic,
      partition,
      offset: BigInt(batch.offsets[place]!),
      timestamp: batch.timestamps[place]!,
      key: keyStart < 0 ? null : bytes.subarray(keyStart, keyEnds[place]!),
    })
  }

  return {
    prepare: (batch) => {
      let missing: Set<number> | undefined
      let known = codec.schemaId
      for (let place = 0; place < batch.length; place++) {
        const id = schemaIdAt(batch, place)
        if (id === known || id < 0) continue
        if (id === codec.schemaId || writers.has(id)) {
          known = id
          continue
        }
        missing ??= new Set()
        missing.add(id)
      }
      return missing === undefined ? undefined : writers.load(missing)
    },

    read: (batch) => {
      const { length, bytes } = batch
      if (columns.capacity < length) {
        columns = createEventColumns(Math.max(length, columns.capacity * 2), width, hasCategories)
      }
      const { places, offsets, eventTimes, categoryStarts } = columns
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const odd = new Map<number, FeatureEvent>()
      const failures = new Map<number, DeadLetterReason>()
      let row = 0
      let lastId = -1
      let plan: RowPlan | null = null
      for (let place = 0; place < length; place++) {
        const id = schemaIdAt(batch, place)
        if (id !== lastId) {
          plan = id < 0 ? null : planOf(id)
          lastId = id
        }
        const start = batch.valueStarts[place]! + HEADER_BYTES
        if (plan === null || !decodeRow(plan, columns, row, bytes, view, start, batch.valueEnds[place]!)) {
          const result = decodeSlowly(batch, place)
          if (!result.ok) {
            failures.set(place, result)
            continue
          }
          odd.set(row, result.value)
          eventTimes[row] = result.value.event_time
          if (hasCategories) categoryStarts.fill(-1, row * width, (row + 1) * width)
        }
        places[row] = place
        offsets[row] = batch.offsets[place]!
        row++
      }
      const rows: EventRows = {
        topic: batch.topic,
        partition: batch.partition,
        features: names,
        length: row,
        text: bytes,
        places,
        offsets,
        eventTimes,
        idStarts: columns.idStarts,
        idEnds: columns.idEnds,
        numbers: columns.numbers,
        categoryStarts,
        categoryEnds: columns.categoryEnds,
        odd,
      }
      return { rows, failures }
    },
  }
}
