import type { Prediction } from '../events.ts'
import { readEventVector } from '../features/event-vector.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import { buildPrediction, inModelOrder, ModelUnsuitable, type ScoredBlock } from '../models/predict.ts'
import type { ActiveModel } from '../registry/registry-types.ts'
import { invalidRequest, RequestRefused, unavailable } from './error-reply.ts'
import type { Instance } from './instance-validation.ts'

export type ScoreInstancesDeps = {
  readonly features: readonly FeatureSpec[]
  readonly now: () => number
  readonly newId: () => string
}

/** A model that the task outgrew, or that breaks on an input, is a fault of ours; the caller learns which. */
const refusalOf = (error: unknown, version: string): RequestRefused => {
  if (error instanceof ModelUnsuitable) return unavailable(error.code, error.message, 60, error)
  return new RequestRefused(500, 'SCORING_FAILED', `model ${version} could not score this request`, { cause: error })
}

/**
 * Scores instances that came together with one model, as a worker scores a batch.
 * @throws RequestRefused (400: an instance cannot be read as a vector; 503: the model is for other features;
 * 500: the model broke)
 */
export const createInstanceScoring = ({ features, now, newId }: ScoreInstancesDeps) => {
  let ordered: { model: ActiveModel; specs: readonly FeatureSpec[] } | undefined

  const readVectors = (instances: readonly Instance[], batch: boolean, specs: readonly FeatureSpec[]): Float64Array => {
    const vectors = new Float64Array(instances.length * specs.length)
    for (const [row, instance] of instances.entries()) {
      const fault = readEventVector(instance, specs, vectors, row * specs.length)
      if (fault === null) continue
      const field = batch ? `[${row}].${fault.feature}` : fault.feature
      throw invalidRequest([{ code: fault.code, field, message: fault.message }], fault.message)
    }
    return vectors
  }

  const scoreBlock = (
    model: ActiveModel,
    specs: readonly FeatureSpec[],
    instances: readonly Instance[],
    vectors: Float64Array,
  ): Prediction[] => {
    const { scorer, version } = model
    const outputs = new Float64Array(instances.length * scorer.outputs)
    scorer.scoreBlock(vectors, instances.length, outputs)
    const scoredAt = now()
    const block: ScoredBlock = {
      scorer,
      specs,
      modelVersion: version,
      modelRole: 'champion',
      scoredAt,
      features: vectors,
      outputs,
    }
    return instances.map((instance, row) => {
      const eventId = instance.event_id ?? newId()
      const event = { eventId, eventTime: scoredAt, sourcePartition: null, sourceOffset: null, values: instance }
      return buildPrediction(event, block, row)
    })
  }

  return (model: ActiveModel, instances: readonly Instance[], batch: boolean): Prediction[] => {
    try {
      if (ordered?.model !== model) ordered = { model, specs: inModelOrder(features, model) }
      const { specs } = ordered
      return scoreBlock(model, specs, instances, readVectors(instances, batch, specs))
    } catch (error) {
      throw error instanceof RequestRefused ? error : refusalOf(error, model.version)
    }
  }
}
