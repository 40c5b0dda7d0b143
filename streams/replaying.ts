import type { EventRows, ScoredRows } from '../src/event-rows.ts'
import type { FeatureSpec } from '../src/features/feature-spec.ts'
import { createRowScorer, type ScoringModel } from '../src/models/score-rows.ts'
import type { TopicRef, Topology } from '../src/topology.ts'
import type { TaskTopics } from './topics.ts'

export type ReplayingDeps = {
  readonly topics: Pick<TaskTopics, 'features'>
  /** Where the predictions go. */
  readonly target: TopicRef<unknown>
  /** The inputs of the task, in the order of the rows. */
  readonly features: readonly FeatureSpec[]
  /** The model that scores all of them. */
  readonly model: ScoringModel
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Scores past events once more, with one model, as a candidate for what it might have been. */
export const replaying = (deps: ReplayingDeps): Topology<EventRows, ScoredRows> => {
  const scoreRows = createRowScorer(deps)
  return {
    name: 'replay',
    reads: [deps.topics.features],
    writes: [deps.target],
    process: (rows) => scoreRows(rows, deps.model, 'candidate'),
  }
}
