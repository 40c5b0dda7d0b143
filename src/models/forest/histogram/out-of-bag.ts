import { bestClass } from '../../best-class.ts'
import type { TrainingRows } from '../../estimator.ts'
import { scoreNumbers } from '../../metrics/number-scores.ts'
import { findLeaf } from '../find-leaf.ts'
import type { FlatForest } from '../flat-forest.ts'
import { drawRows, treeRandom } from './bootstrap.ts'

/** How a forest does on rows that its trees have not seen. */
export type OutOfBagScore = {
  /** Accuracy of classes, R2 of numbers. */
  readonly score: number
  /** Rows that some tree has not seen; the others do not count. */
  readonly rows: number
}

/**
 * Scores each training row by the trees alone that did not draw it (Breiman, 2001, section 3.1): an estimate of the
 * accuracy on new rows, without a test set.
 * @param forest fitted to `rows` with `bootstrap` and this seed
 * @returns null where every tree has seen every row
 */
export const outOfBagScore = (forest: FlatForest, rows: TrainingRows, seed: number): OutOfBagScore | null => {
  const { outputs, leaves, left, roots } = forest
  const sums = new Float64Array(rows.rows * outputs)
  const votes = new Int32Array(rows.rows)
  const weights = new Int32Array(rows.rows)
  roots.forEach((root, tree) => {
    drawRows(true, treeRandom(seed, tree), weights)
    for (let row = 0; row < rows.rows; row++) {
      if (weights[row] !== 0) continue
      const leaf = left[findLeaf(forest, root, rows.features, row * rows.columns)]! * outputs
      for (let c = 0; c < outputs; c++) sums[row * outputs + c] = sums[row * outputs + c]! + leaves[leaf + c]!
      votes[row] = votes[row]! + 1
    }
  })
  const unseen = Int32Array.from(votes.keys()).filter((row) => votes[row]! > 0)
  if (unseen.length === 0) return null
  const { target } = rows
  if (target.kind === 'classification') {
    let hits = 0
    for (const row of unseen) if (bestClass(sums, row * outputs, outputs) === target.labels[row]) hits++
    return { score: hits / unseen.length, rows: unseen.length }
  }
  const truth = Float64Array.from(unseen, (row) => target.values[row]!)
  const predicted = Float64Array.from(unseen, (row) => sums[row]! / votes[row]!)
  return { score: scoreNumbers(predicted, truth).r2, rows: unseen.length }
}
