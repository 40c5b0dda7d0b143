import type { CrossValidation } from '../manifest.ts'
import type { SelectionRule } from './tournament-types.ts'

// Two means of the same scores may differ in their last bits when the folds come in another order.
const SAME_SCORE = 1e-12

/**
 * The trial that becomes the model.
 * - `best`: the best mean score, or the first of several in the configuration's order.
 * - `one_standard_error` (Breiman et al. 1984, section 3.4.3): of the trials whose mean comes within one standard error
 *   of the best mean, the one of the fewest bytes, then the best mean, then the first. Bytes are what simplicity is
 *   measured by because they can be measured: they count a forest's nodes, a machine's support vectors and a linear
 *   model's weights alike, and what is small is also quick to load and to score.
 * @returns undefined if there are none
 */
export const chooseTrial = <T extends { readonly cv: CrossValidation; readonly bytes: number }>(
  trials: readonly T[],
  rule: SelectionRule,
): T | undefined => {
  const greatest = Math.max(...trials.map(({ cv }) => cv.mean))
  const best = trials.find(({ cv }) => cv.mean >= greatest - SAME_SCORE)
  if (best === undefined || rule === 'best') return best
  const near = trials.filter(({ cv }) => cv.mean >= best.cv.mean - best.cv.se - SAME_SCORE)
  const fewestBytes = Math.min(...near.map(({ bytes }) => bytes))
  return chooseTrial(
    near.filter(({ bytes }) => bytes === fewestBytes),
    'best',
  )
}
