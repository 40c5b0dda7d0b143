import { openScorer } from '../../models/open-scorer.ts'
import { createBlockScorer, type ScoredCsv } from './score-block.ts'
import type { ScoringPlan } from './score-messages.ts'

/**
 * Opens the model of a plan, whose manifest has been checked, and scores blocks with it in this thread.
 * @throws ArtefactCorrupt, ModelNotExplainable
 */
export const openBlockScorer = async (plan: ScoringPlan): Promise<(block: Uint8Array, from: number) => ScoredCsv> => {
  const { features, columns, keep, onError, explain } = plan
  const { manifest, binary } = plan.model
  // Loaded only where it is used: it is the larger part of the code.
  const explaining = explain ? await import('../../models/explain/create-explainer.ts') : null
  return createBlockScorer({
    scorer: openScorer(manifest, binary),
    ...{ features, columns, keep, onError },
    explainer: explaining?.createExplainer(manifest, binary) ?? null,
  })
}
