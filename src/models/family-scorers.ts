import type { ModelFamily } from './candidate.ts'
import type { FamilyInput, FamilyScorer, ModelShape } from './family-scorer.ts'
import { openForest } from './forest/forest-scorer.ts'
import { openLogistic } from './logistic/logistic-scorer.ts'
import { openRidge } from './ridge/ridge-scorer.ts'
import type { Sections } from './sections.ts'
import { openSvm } from './svm/svm-scorer.ts'

/** How each family scores its compiled arrays, whatever engine trained them. All throw ArtefactCorrupt. */
export const familyScorers: Record<ModelFamily, (sections: Sections, shape: ModelShape) => FamilyScorer> = {
  logistic: openLogistic,
  ridge: openRidge,
  forest: openForest,
  svm: openSvm,
}

/** What each family reads: trees need no standardiser and know missing values and categories themselves. */
export const familyInput: Record<ModelFamily, FamilyInput> = {
  logistic: 'standardised',
  ridge: 'standardised',
  forest: 'raw',
  svm: 'standardised',
}
