import { AppError } from '../errors.ts'
import type { ModelRole, Prediction } from '../events.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import { bestClass } from './best-class.ts'
import type { ModelManifest } from './manifest.ts'
import type { Scorer } from './scorer.ts'

/** The model is for other features than those of the task; another model may do. */
export class ModelUnsuitable extends AppError {
  constructor(feature: string, has: string) {
    super('MODEL_UNSUITABLE', `the model takes the feature ${feature}, ${has}; promote a model of this task`, {
      retryable: true,
    })
  }
}

/** The model gave something for one row that is no number. */
export class ScoringFailed extends AppError {
  constructor(modelVersion: string, what: string, output: number) {
    super('SCORING_FAILED', `model ${modelVersion} gave the ${what} ${output}`)
  }
}

/** What of a model decides how events are read for it. */
export type ModelInputs = {
  readonly scorer: Pick<Scorer, 'featureNames'>
  readonly manifest: Pick<ModelManifest, 'categories'>
}

/**
 * The task's features in the order in which a model takes them, with the categories that the model knows: the codes of
 * its training count, whatever the task lists today.
 * @throws ModelUnsuitable
 */
export const inModelOrder = (features: readonly FeatureSpec[], model: ModelInputs): readonly FeatureSpec[] =>
  model.scorer.featureNames.map((name, column) => {
    const feature = features.find((spec) => spec.name === name)
    const categories = model.manifest.categories[column] ?? []
    if (feature === undefined) throw new ModelUnsuitable(name, 'which the task does not have')
    if (feature.type === 'category') {
      if (categories.length > 0) return { ...feature, categories }
      throw new ModelUnsuitable(name, 'as a number, and the task has it as a category')
    }
    if (categories.length === 0) return feature
    throw new ModelUnsuitable(name, 'as a category, and the task has it as a number')
  })

/** Which event a row of a block is: its names in the stream, or null for both where it came by HTTP. */
export type ScoredEvent = {
  readonly eventId: string
  /** Milliseconds since the epoch. */
  readonly eventTime: number
  readonly sourcePartition: number | null
  readonly sourceOffset: number | null
  /** The features by name, as the event brought them: categories are named as there. */
  readonly values: Readonly<Record<string, unknown>>
}

/** A block that `scorer.scoreBlock` has filled, and the model that did it. */
export type ScoredBlock = {
  readonly scorer: Scorer
  /** The features in the model's order; see `inModelOrder`. */
  readonly specs: readonly FeatureSpec[]
  readonly modelVersion: string
  readonly modelRole: ModelRole
  /** Milliseconds since the epoch. */
  readonly scoredAt: number
  /** Row-major, in the model's feature order; NaN where missing. */
  readonly features: Float64Array
  /** Row-major, `scorer.outputs` for each row: probabilities in the model's class order, or the predicted value. */
  readonly outputs: Float64Array
}

type Outcome = Pick<Prediction, 'prediction' | 'class_index' | 'confidence' | 'probabilities' | 'value'>

const classOf = ({ scorer, outputs, modelVersion }: ScoredBlock, row: number): Outcome => {
  const { classNames } = scorer
  const from = row * classNames.length
  const probabilities = new Array<number>(classNames.length)
  for (let c = 0; c < classNames.length; c++) {
    const probability = outputs[from + c]!
    if (!Number.isFinite(probability)) throw new ScoringFailed(modelVersion, 'probability', probability)
    probabilities[c] = probability
  }
  const index = bestClass(probabilities, 0, classNames.length)
  return {
    prediction: classNames[index]!,
    class_index: index,
    confidence: probabilities[index]!,
    probabilities,
    value: null,
  }
}

const numberOf = ({ outputs, modelVersion }: ScoredBlock, row: number): Outcome => {
  const value = outputs[row]!
  if (!Number.isFinite(value)) throw new ScoringFailed(modelVersion, 'value', value)
  return { prediction: String(value), class_index: null, confidence: null, probabilities: [], value }
}

const featuresOf = (event: ScoredEvent, { specs, features }: ScoredBlock, row: number): Prediction['features'] => {
  const from = row * specs.length
  const scored = new Array<number | string | null>(specs.length)
  for (let f = 0; f < specs.length; f++) {
    const value = features[from + f]!
    const spec = specs[f]!
    if (Number.isNaN(value)) scored[f] = null
    else scored[f] = spec.type === 'category' ? (event.values[spec.name] as string) : value
  }
  return scored
}

/**
 * The prediction record of one row of a scored block. Worker and ingress both build theirs here, so that the same
 * features give the same record whichever way they came.
 * @param row place of the event in the block
 * @throws ScoringFailed if an output of the row is not finite
 */
export const buildPrediction = (event: ScoredEvent, block: ScoredBlock, row: number): Prediction => {
  const outcome = block.scorer.kind === 'classification' ? classOf(block, row) : numberOf(block, row)
  return {
    event_id: event.eventId,
    source_partition: event.sourcePartition,
    source_offset: event.sourceOffset,
    event_time: event.eventTime,
    scored_at: block.scoredAt,
    prediction: outcome.prediction,
    class_index: outcome.class_index,
    confidence: outcome.confidence,
    probabilities: outcome.probabilities,
    value: outcome.value,
    model_version: block.modelVersion,
    model_role: block.modelRole,
    features: featuresOf(event, block, row),
  }
}
