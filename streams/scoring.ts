import { AppError } from '../src/errors.ts'
import type { EventRows, ScoredRows } from '../src/event-rows.ts'
import type { FeatureSpec } from '../src/features/feature-spec.ts'
import { createRowScorer, type ScoringModel } from '../src/models/score-rows.ts'
import type { Topology } from '../src/topology.ts'
import type { TaskTopics } from './topics.ts'

export type ScoringDeps = {
  readonly topics: Pick<TaskTopics, 'features' | 'predictions'>
  /** The inputs of the task, in the order of the rows. */
  readonly features: readonly FeatureSpec[]
  /** The model to score the next batch with, or null while there is none. */
  readonly currentModel: () => ScoringModel | null
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/**
 * Scores each batch with one model, even when a swap lands midway.
 * @throws AppError NO_MODEL, MODEL_UNSUITABLE (both retryable): the events have to wait for another model
 */
export const scoring = ({ topics, features, currentModel, now }: ScoringDeps): Topology<EventRows, ScoredRows> => {
  const scoreRows = createRowScorer({ features, now })
  return {
    name: 'scoring',
    reads: [topics.features],
    writes: [topics.predictions],
    process: (rows) => {
      const model = currentModel()
      if (model !== null) return scoreRows(rows, model, 'champion')
      throw new AppError('NO_MODEL', 'no model is in production yet; train one and promote it', { retryable: true })
    },
  }
}
