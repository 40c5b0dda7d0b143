import type { FamilyScorer, ModelShape } from '../family-scorer.ts'
import { ArtefactCorrupt } from '../model-errors.ts'
import type { Sections } from '../sections.ts'
import { openOneVsRest } from './one-vs-rest-scorer.ts'
import { openSoftmax } from './softmax-scorer.ts'

/**
 * Logistic regression, by the engine that trained it: with a section `softmax_weights` see `openSoftmax`, else
 * `openOneVsRest`.
 * @throws ArtefactCorrupt
 */
export const openLogistic = (sections: Sections, shape: ModelShape): FamilyScorer => {
  if (shape.kind === 'regression')
    throw new ArtefactCorrupt('logistic regression tells classes, and the model has none')
  return sections.has('softmax_weights') ? openSoftmax(sections, shape) : openOneVsRest(sections, shape)
}
