import { AppError } from '../src/errors.ts'
import type { EventRows, ScoredRows } from '../src/event-rows.ts'
import type { FeatureSpec } from '../src/features/feature-spec.ts'
import {
  createRowsComparer,
  type RowsComparer,
  type RowsComparison,
} from '../src/models/compare/compare-scored-rows.ts'
import { createRowScorer, type RowScorer, type ScoringModel } from '../src/models/score-rows.ts'
import type { Topology } from '../src/topology.ts'
import type { TaskTopics } from './topics.ts'

export type ShadowDeps = {
  readonly topics: Pick<TaskTopics, 'features' | 'shadowPredictions'>
  /** The inputs of the task, in the order of the rows. */
  readonly features: readonly FeatureSpec[]
  /** The model in production, to compare with, or null while there is none. */
  readonly production: () => ScoringModel | null
  /** The models that score every event beside it. */
  readonly shadows: () => readonly ScoringModel[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** What one shadow made of a batch, and how far production agrees; null while no model is in production. */
export type ShadowScores = {
  readonly scored: ScoredRows
  readonly against: { readonly production: string; readonly comparison: RowsComparison } | null
}

/** A scorer and a comparer for each model: what a scorer gave is valid until it scores again. */
type Bench = { readonly score: RowScorer; readonly compare: RowsComparer }

/**
 * Scores each batch with every shadow, and with the model in production to compare. Production's predictions are not
 * written again.
 * @throws AppError NO_SHADOWS (retryable): the events wait for one; MODEL_UNSUITABLE (retryable)
 */
export const shadowScoring = (deps: ShadowDeps): Topology<EventRows, readonly ShadowScores[]> => {
  const { topics, features, now } = deps
  const newBench = (): Bench => ({ score: createRowScorer({ features, now }), compare: createRowsComparer() })
  const productionBench = newBench()
  let benches = new Map<string, Bench>()

  return {
    name: 'shadow',
    reads: [topics.features],
    writes: [topics.shadowPredictions],
    process: (rows) => {
      const shadows = deps.shadows()
      if (shadows.length === 0) {
        throw new AppError('NO_SHADOWS', 'no version is a shadow: add one with "driftline models shadow add"', {
          retryable: true,
        })
      }
      // A shadow that left takes its buffers with it.
      benches = new Map(shadows.map(({ version }) => [version, benches.get(version) ?? newBench()]))
      const model = deps.production()
      const production = model === null ? null : productionBench.score(rows, model, 'champion')
      return shadows.map((shadow) => {
        const { score, compare } = benches.get(shadow.version)!
        const scored = score(rows, shadow, 'shadow')
        if (production === null) return { scored, against: null }
        return {
          scored,
          against: { production: production.model.version, comparison: compare(production, scored) },
        }
      })
    },
  }
}
