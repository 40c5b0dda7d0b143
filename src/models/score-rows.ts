import { describeError } from '../errors.ts'
import type { EventRows, Refusal, RowModel, ScoredRows } from '../event-rows.ts'
import type { ModelRole } from '../events.ts'
import { type CategoryBytes, createCategoryBytes } from '../features/category-bytes.ts'
import { readEventVector } from '../features/event-vector.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import { bestClass } from './best-class.ts'
import { inModelOrder, type ModelInputs, ScoringFailed } from './predict.ts'
import type { Scorer } from './scorer.ts'

/** What scoring needs of a model. */
export type ScoringModel = Pick<ModelInputs, 'manifest'> & { readonly version: string; readonly scorer: Scorer }

/**
 * Scores the rows of a batch with one model. The result is valid until the next call.
 * Rows that cannot be scored are refused with the code that `readEventVector` gives, or SCORING_FAILED for a row that
 * makes the model throw or give no finite number.
 * @throws ModelUnsuitable (retryable): the rows have to wait for another model
 */
export type RowScorer = (rows: EventRows, model: ScoringModel, role: ModelRole) => ScoredRows

export type RowScorerDeps = {
  /** The inputs of the task, in the order of the rows. */
  readonly features: readonly FeatureSpec[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** What is worked out once for a model. */
type Prepared = {
  readonly scorer: Scorer
  readonly model: RowModel
  /** In the model's order. */
  readonly specs: readonly FeatureSpec[]
  /** By the model's feature; null for a number. */
  readonly categoryBytes: readonly (CategoryBytes | null)[]
  /** Whether the numbers of the rows are the model's input as they stand. */
  readonly takesRowsAsTheyAre: boolean
}

const prepare = (features: readonly FeatureSpec[], model: ScoringModel, role: ModelRole): Prepared => {
  const { scorer, version } = model
  const specs = inModelOrder(features, model)
  const names = features.map(({ name }) => name)
  const columns = Int32Array.from(specs, ({ name }) => names.indexOf(name))
  return {
    scorer,
    specs,
    model: {
      ...{ version, role, kind: scorer.kind, classNames: scorer.classNames, outputs: scorer.outputs },
      featureNames: scorer.featureNames,
      columns,
      categoryCounts: Int32Array.from(specs, (spec) => (spec.type === 'category' ? spec.categories.length : 0)),
    },
    categoryBytes: specs.map((spec) => (spec.type === 'category' ? createCategoryBytes(spec.categories) : null)),
    takesRowsAsTheyAre:
      specs.length === features.length &&
      specs.every(({ type }, column) => type === 'double' && columns[column] === column),
  }
}

/** An array that is at least this long, the old one where it is. */
const grown = (buffer: Float64Array, length: number): Float64Array =>
  buffer.length >= length ? buffer : new Float64Array(Math.max(length, buffer.length * 2))

export const createRowScorer = ({ features, now }: RowScorerDeps): RowScorer => {
  let prepared: Prepared | undefined
  let vectors: Float64Array = new Float64Array(0)
  let outputs: Float64Array = new Float64Array(0)
  let goodVectors: Float64Array = new Float64Array(0)
  let classIndexes = new Int32Array(0)

  /** One column of the model from the rows into `vectors`. */
  const fillColumn = (rows: EventRows, { model, categoryBytes }: Prepared, column: number): void => {
    const width = model.columns.length
    const from = model.columns[column]!
    const codeOf = categoryBytes[column]!
    const { length, numbers, text, categoryStarts, categoryEnds } = rows
    const step = rows.features.length
    for (let row = 0, at = from, to = column; row < length; row++, at += step, to += width) {
      if (codeOf === null) vectors[to] = numbers[at]!
      else if (categoryStarts[at]! < 0) vectors[to] = Number.NaN
      else vectors[to] = codeOf(text, categoryStarts[at]!, categoryEnds[at]!)
    }
  }

  /** The rows in the model's order: the rows' own block where nothing has to be changed in it. */
  const vectorsOf = (rows: EventRows, use: Prepared, refused: Map<number, Refusal>): Float64Array => {
    if (use.takesRowsAsTheyAre && rows.odd.size === 0) return rows.numbers
    const width = use.specs.length
    vectors = grown(vectors, rows.length * width)
    for (let column = 0; column < width; column++) fillColumn(rows, use, column)
    for (const [row, event] of rows.odd) {
      const fault = readEventVector(event, use.specs, vectors, row * width)
      if (fault !== null) refused.set(row, { code: fault.code, message: fault.message })
    }
    return vectors
  }

  /** Scores rows `from` up to `to`. Where a block throws it is halved, until the rows that make it throw are alone. */
  const scoreBlock = (
    scorer: Scorer,
    block: Float64Array,
    out: Float64Array,
    from: number,
    to: number,
    failed: (row: number, reason: string) => void,
  ): void => {
    const width = scorer.featureNames.length
    try {
      scorer.scoreBlock(
        block.subarray(from * width, to * width),
        to - from,
        out.subarray(from * scorer.outputs, to * scorer.outputs),
      )
    } catch (error) {
      if (to - from === 1) {
        failed(from, describeError(error))
        return
      }
      const middle = (from + to) >> 1
      scoreBlock(scorer, block, out, from, middle, failed)
      scoreBlock(scorer, block, out, middle, to, failed)
    }
  }

  /** Scores the rows that are not refused, together; refuses those that make the model throw. */
  const scoreGood = (
    rows: EventRows,
    { scorer, model }: Prepared,
    features: Float64Array,
    refused: Map<number, Refusal>,
  ): void => {
    const refuse = (row: number, reason: string): void => {
      refused.set(row, { code: 'SCORING_FAILED', message: `model ${model.version} could not score it: ${reason}` })
    }
    const width = model.columns.length
    if (refused.size === 0) {
      if (rows.length > 0) scoreBlock(scorer, features, outputs, 0, rows.length, refuse)
      return
    }
    const good: number[] = []
    goodVectors = grown(goodVectors, rows.length * width)
    for (let row = 0; row < rows.length; row++) {
      if (refused.has(row)) continue
      goodVectors.set(features.subarray(row * width, (row + 1) * width), good.length * width)
      good.push(row)
    }
    if (good.length === 0) return
    scoreBlock(scorer, goodVectors, outputs, 0, good.length, (place, reason) => refuse(good[place]!, reason))
    // From the last one on: no output is overwritten before it was moved.
    for (let place = good.length - 1; place >= 0; place--) {
      outputs.copyWithin(good[place]! * model.outputs, place * model.outputs, (place + 1) * model.outputs)
    }
  }

  /** Refuses rows with an output that is no finite number, and finds the class of the others. */
  const readOutputs = (rows: EventRows, { model }: Prepared, refused: Map<number, Refusal>): void => {
    const width = model.outputs
    const what = model.kind === 'classification' ? 'probability' : 'value'
    for (let row = 0; row < rows.length; row++) {
      const from = row * width
      let finite = true
      for (let o = from; o < from + width; o++) finite &&= Number.isFinite(outputs[o]!)
      classIndexes[row] = bestClass(outputs, from, width)
      if (finite || refused.has(row)) continue
      const strange = outputs.subarray(from, from + width).find((output) => !Number.isFinite(output))
      const { code, message } = new ScoringFailed(model.version, what, strange ?? Number.NaN)
      refused.set(row, { code, message })
    }
  }

  return (rows, model, role) => {
    if (prepared?.scorer !== model.scorer || prepared.model.version !== model.version || prepared.model.role !== role) {
      prepared = prepare(features, model, role)
    }
    const use = prepared
    const refused = new Map<number, Refusal>()
    const modelFeatures = vectorsOf(rows, use, refused)
    outputs = grown(outputs, rows.length * use.model.outputs)
    if (classIndexes.length < rows.length) classIndexes = new Int32Array(2 * rows.length)
    scoreGood(rows, use, modelFeatures, refused)
    readOutputs(rows, use, refused)
    return { rows, model: use.model, scoredAt: now(), features: modelFeatures, outputs, classIndexes, refused }
  }
}
