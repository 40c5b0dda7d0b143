import { AppError, describeError } from '../src/errors.ts'
import type { FeatureEvent, Prediction } from '../src/events.ts'
import { readEventVector } from '../src/features/event-vector.ts'
import type { FeatureSpec } from '../src/features/feature-spec.ts'
import { buildPrediction, inModelOrder, type ModelInputs, ScoringFailed } from '../src/models/predict.ts'
import type { Scorer } from '../src/models/scorer.ts'
import type { Incoming, Outcome, Topology } from '../src/topology.ts'
import type { TaskTopics } from './topics.ts'

/** What scoring needs of the model that serves. */
export type ScoringModel = Pick<ModelInputs, 'manifest'> & { readonly version: string; readonly scorer: Scorer }

export type ScoringDeps = {
  readonly topics: Pick<TaskTopics, 'features' | 'predictions'>
  /** The inputs of the task, in any order. */
  readonly features: readonly FeatureSpec[]
  /** The model to score the next batch with, or null while there is none. */
  readonly currentModel: () => ScoringModel | null
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

type Refusal = Extract<Outcome<Prediction>, { kind: 'dead-letter' }>

const refuse = (code: string, message: string): Refusal => ({ kind: 'dead-letter', code, message })

/** An array that is at least this long, the old one where it is. */
const grown = (buffer: Float64Array, length: number): Float64Array =>
  buffer.length >= length ? buffer : new Float64Array(Math.max(length, buffer.length * 2))

/**
 * Scores each batch with one model, even when a swap lands midway.
 * Events that cannot be scored become dead letters with the code that `readEventVector` gives, or SCORING_FAILED
 * for an event that makes the model throw.
 * @throws AppError NO_MODEL, MODEL_UNSUITABLE (both retryable): the events have to wait for another model
 */
export const scoring = ({ topics, features, currentModel, now }: ScoringDeps): Topology<FeatureEvent, Prediction> => {
  let vectors: Float64Array = new Float64Array(0)
  let scores: Float64Array = new Float64Array(0)
  let ordered: { scorer: Scorer; features: readonly FeatureSpec[] } | undefined

  const featuresFor = (model: ScoringModel): readonly FeatureSpec[] => {
    const { scorer } = model
    if (ordered?.scorer !== scorer) ordered = { scorer, features: inModelOrder(features, model) }
    return ordered.features
  }

  /** Scores rows `from` up to `to`. Where a block throws it is halved, until the rows that make it throw are alone. */
  const scoreRows = (scorer: Scorer, from: number, to: number, failed: Map<number, string>): void => {
    const width = scorer.featureNames.length
    const { outputs } = scorer
    try {
      scorer.scoreBlock(
        vectors.subarray(from * width, to * width),
        to - from,
        scores.subarray(from * outputs, to * outputs),
      )
    } catch (error) {
      if (to - from === 1) {
        failed.set(from, describeError(error))
        return
      }
      const middle = (from + to) >> 1
      scoreRows(scorer, from, middle, failed)
      scoreRows(scorer, middle, to, failed)
    }
  }

  const process = (batch: readonly Incoming<FeatureEvent>[]): readonly Outcome<Prediction>[] => {
    const model = currentModel()
    if (model === null) {
      throw new AppError('NO_MODEL', 'no model is in production yet; train one and promote it', { retryable: true })
    }
    const { scorer, version } = model
    const modelFeatures = featuresFor(model)
    const width = modelFeatures.length
    vectors = grown(vectors, batch.length * width)
    scores = grown(scores, batch.length * scorer.outputs)

    const outcomes: Outcome<Prediction>[] = new Array(batch.length)
    const places: number[] = []
    batch.forEach(({ value }, place) => {
      const fault = readEventVector(value, modelFeatures, vectors, places.length * width)
      if (fault === null) places.push(place)
      else outcomes[place] = refuse(fault.code, fault.message)
    })

    const failed = new Map<number, string>()
    if (places.length > 0) scoreRows(scorer, 0, places.length, failed)
    const scoredAt = now()

    const block = {
      scorer,
      specs: modelFeatures,
      modelVersion: version,
      modelRole: 'champion',
      scoredAt,
      features: vectors,
      outputs: scores,
    } as const

    const predictionOf = (row: number, { source, value }: Incoming<FeatureEvent>): Outcome<Prediction> => {
      const reason = failed.get(row)
      if (reason !== undefined) return refuse('SCORING_FAILED', `model ${version} could not score it: ${reason}`)
      const event = {
        eventId: value.event_id,
        eventTime: value.event_time,
        sourcePartition: source.partition,
        sourceOffset: Number(source.offset),
        values: value,
      }
      try {
        return { kind: 'emit', topic: topics.predictions, value: buildPrediction(event, block, row) }
      } catch (error) {
        if (error instanceof ScoringFailed) return refuse(error.code, error.message)
        throw error
      }
    }

    places.forEach((place, row) => {
      outcomes[place] = predictionOf(row, batch[place]!)
    })
    return outcomes
  }

  return { name: 'scoring', reads: [topics.features], writes: [topics.predictions], process }
}
