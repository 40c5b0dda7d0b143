import type { RowModel, ScoredRows } from '../../event-rows.ts'
import type { FeatureEvent } from '../../events.ts'
import { predictionIdHeader } from '../../topology.ts'
import type { BatchWriter } from '../batch-stages.ts'
import type { DeadLetterReason } from '../dead-letters.ts'
import type { RecordBatch, RecordSink } from '../kafka-types.ts'
import { MAX_RECORD_BYTES, wireBytes } from '../record-size.ts'
import { copyBytes, writeDecimal, writeLong, writeText } from './avro-bytes.ts'
import type { AvroRecord } from './avro-schemas.ts'
import { rolesOfPredictionSchema } from './prediction-schema.ts'
import { HEADER_BYTES, writeHeader } from './wire-format.ts'

export type PredictionWriter = BatchWriter<ScoredRows['rows'], ScoredRows>

export type PredictionWriterOptions = {
  /** Where predictions go; as many partitions as the events' topic has. */
  readonly topic: string
  readonly schema: AvroRecord
  /** The id under which `schema` is registered. */
  readonly schemaId: number
}

/** Which of the two types of a union a value has. */
const FIRST_BRANCH = 0
const SECOND_BRANCH = 2
const THIRD_BRANCH = 4

const DOUBLE_BYTES = 8
/** More than all numbers, lengths, branches of one prediction and the offset in its header take together. */
const NUMBERS_BYTES = 256

/** Bytes that are the same in all predictions of a model, between those that are not. */
type ModelBytes = {
  /** By class, from its name up to the branch of `confidence`; empty for a regression. */
  readonly classes: readonly Buffer[]
  /** From after the value of the target up to the first feature. */
  readonly beforeFeatures: Buffer
  /** Most bytes of a prediction beside those that the event brings. */
  readonly mostBytes: number
}

const bytesOf = (most: number, write: (target: Buffer) => number): Buffer => {
  const target = Buffer.alloc(most)
  return Buffer.from(target.subarray(0, write(target)))
}

const modelBytesOf = (model: RowModel, roles: readonly string[]): ModelBytes => {
  const { version, role, kind, classNames, featureNames } = model
  const classes = classNames.map((name, index) =>
    bytesOf(NUMBERS_BYTES + 3 * name.length, (target) => {
      let at = writeText(target, 0, name)
      target[at++] = SECOND_BRANCH
      at = writeLong(target, at, index)
      target[at++] = SECOND_BRANCH
      return at
    }),
  )
  const beforeFeatures = bytesOf(NUMBERS_BYTES + 3 * version.length, (target) => {
    let at = 0
    // The end of the probabilities, and that there is no value.
    if (kind === 'classification') {
      target[at++] = 0
      target[at++] = FIRST_BRANCH
    }
    at = writeText(target, at, version)
    at = writeLong(target, at, roles.indexOf(role))
    return featureNames.length === 0 ? at : writeLong(target, at, featureNames.length)
  })
  const longestClass = Math.max(0, ...classes.map(({ length }) => length))
  const mostBytes =
    NUMBERS_BYTES + longestClass + beforeFeatures.length + DOUBLE_BYTES * model.outputs + 11 * featureNames.length
  return { classes, beforeFeatures, mostBytes }
}

const tooLarge = (bytes: number): DeadLetterReason => ({
  code: 'RECORD_TOO_LARGE',
  message: `the output would have ${bytes} bytes with its key, and at most ${MAX_RECORD_BYTES} can be written`,
})

/**
 * Writes scored rows as prediction records, byte for byte what the Avro library makes of `buildPrediction`. Keys are
 * those of the events; the header names the source record, and for a shadow its version, too. Refused rows fail, and
 * what is too large for a topic does.
 * @throws ConfigInvalid if `schema` is another one than it writes
 */
export const createPredictionWriter = ({ topic, schema, schemaId }: PredictionWriterOptions): PredictionWriter => {
  const roles = rolesOfPredictionSchema(schema)
  /** A few models at most: a shadow writer has several in turn. */
  const bytesByModel = new WeakMap<RowModel, ModelBytes>()
  let scratch: Buffer = Buffer.alloc(0)
  let view: DataView = new DataView(new ArrayBuffer(0))

  const makeRoom = (bytes: number): void => {
    if (scratch.byteLength >= bytes) return
    scratch = Buffer.alloc(Math.max(2 * bytes, 4096))
    view = new DataView(scratch.buffer, scratch.byteOffset, scratch.byteLength)
    writeHeader(scratch, 0, schemaId)
  }

  const writeDouble = (at: number, value: number): number => {
    view.setFloat64(at, value, true)
    return at + DOUBLE_BYTES
  }

  const modelBytesFor = (model: RowModel): ModelBytes => {
    let found = bytesByModel.get(model)
    if (found === undefined) {
      found = modelBytesOf(model, roles)
      bytesByModel.set(model, found)
    }
    return found
  }

  /** From `prediction` up to the value of the target. */
  const writeOutcome = (at: number, scored: ScoredRows, row: number, { classes }: ModelBytes): number => {
    const { model, outputs, classIndexes } = scored
    const from = row * model.outputs
    if (model.kind === 'regression') {
      const value = outputs[from]!
      let to = writeText(scratch, at, String(value))
      // No class, no confidence, no probabilities.
      scratch[to++] = FIRST_BRANCH
      scratch[to++] = FIRST_BRANCH
      scratch[to++] = 0
      scratch[to++] = SECOND_BRANCH
      return writeDouble(to, value)
    }
    const index = classIndexes[row]!
    const name = classes[index]!
    let to = copyBytes(scratch, at, name, 0, name.length)
    to = writeDouble(to, outputs[from + index]!)
    to = writeLong(scratch, to, model.outputs)
    for (let o = from; o < from + model.outputs; o++) to = writeDouble(to, outputs[o]!)
    return to
  }

  const writeFeatures = (at: number, scored: ScoredRows, row: number, event: FeatureEvent | undefined): number => {
    const { rows, model, features } = scored
    const { columns, categoryCounts, featureNames } = model
    const width = columns.length
    let to = at
    for (let f = 0; f < width; f++) {
      const value = features[row * width + f]!
      if (Number.isNaN(value)) {
        scratch[to++] = FIRST_BRANCH
      } else if (categoryCounts[f] === 0) {
        scratch[to++] = SECOND_BRANCH
        to = writeDouble(to, value)
      } else if (event !== undefined) {
        scratch[to++] = THIRD_BRANCH
        to = writeText(scratch, to, event[featureNames[f]!] as string)
      } else {
        scratch[to++] = THIRD_BRANCH
        const place = row * rows.features.length + columns[f]!
        to = writeSpan(to, rows.text, rows.categoryStarts[place]!, rows.categoryEnds[place]!)
      }
    }
    if (width > 0) scratch[to++] = 0
    return to
  }

  const writeSpan = (at: number, text: Buffer, start: number, end: number): number =>
    copyBytes(scratch, writeLong(scratch, at, end - start), text, start, end)

  /** The value of one row, from the start of the scratch. @returns the byte after it */
  const writeRow = (
    scored: ScoredRows,
    row: number,
    event: FeatureEvent | undefined,
    modelBytes: ModelBytes,
  ): number => {
    const { rows, scoredAt } = scored
    const { beforeFeatures } = modelBytes
    let at =
      event === undefined
        ? writeSpan(HEADER_BYTES, rows.text, rows.idStarts[row]!, rows.idEnds[row]!)
        : writeText(scratch, HEADER_BYTES, event.event_id)
    scratch[at++] = SECOND_BRANCH
    at = writeLong(scratch, at, rows.partition)
    scratch[at++] = SECOND_BRANCH
    at = writeLong(scratch, at, rows.offsets[row]!)
    at = writeLong(scratch, at, rows.eventTimes[row]!)
    at = writeLong(scratch, at, scoredAt)
    at = writeOutcome(at, scored, row, modelBytes)
    at = copyBytes(scratch, at, beforeFeatures, 0, beforeFeatures.length)
    return writeFeatures(at, scored, row, event)
  }

  const headerFixedBytes = wireBytes({ key: null, value: null, headers: { [predictionIdHeader]: '' } })

  return {
    write: (rows, scored, batch: RecordBatch, sink: RecordSink) => {
      const { model, refused } = scored
      const modelBytes = modelBytesFor(model)
      const sourceName = Buffer.from(`${rows.topic}-${rows.partition}-`)
      // Several shadows say something of the same event: each prediction has a name of its own.
      const suffix = Buffer.from(model.role === 'shadow' ? `-v${model.version}` : '')
      const most = modelBytes.mostBytes + sourceName.length + suffix.length
      const lane = sink.lane(topic, rows.partition, predictionIdHeader)
      const { bytes, keyStarts, keyEnds, valueStarts, valueEnds } = batch
      const failures = new Map<number, DeadLetterReason>()
      const hasRefused = refused.size > 0
      const hasOdd = rows.odd.size > 0
      let outputs = 0
      for (let row = 0; row < rows.length; row++) {
        const place = rows.places[row]!
        const refusal = hasRefused ? refused.get(row) : undefined
        if (refusal !== undefined) {
          failures.set(place, refusal)
          continue
        }
        // A byte that is no UTF-8 becomes three of them. An event without an id gets the name of its record.
        makeRoom(most + 2 * sourceName.length + 3 * (valueEnds[place]! - valueStarts[place]!))
        const valueEnd = writeRow(scored, row, hasOdd ? rows.odd.get(row) : undefined, modelBytes)
        let end = copyBytes(scratch, valueEnd, sourceName, 0, sourceName.length)
        end = writeDecimal(scratch, end, rows.offsets[row]!)
        end = copyBytes(scratch, end, suffix, 0, suffix.length)
        const keyStart = keyStarts[place]!
        const size = headerFixedBytes + end + (keyStart < 0 ? 0 : keyEnds[place]! - keyStart)
        if (size > MAX_RECORD_BYTES) {
          failures.set(place, tooLarge(size))
          continue
        }
        lane.append(bytes, keyStart, keyEnds[place]!, scratch, 0, valueEnd, end)
        outputs++
      }
      return { outputs, failures }
    },
  }
}
