import type { ScoredRows } from '../../event-rows.ts'
import { isNear } from './agreement.ts'
import { alignClasses, type ClassAlignment } from './align-classes.ts'

/** How far two models agree on the rows of a block that both have scored. */
export type RowsComparison = {
  readonly rows: number
  /** Rows of another class; of numbers, those that differ by more than 1 % of the larger one. */
  readonly disagreements: number
  /** Sum over rows of the mean absolute difference of the probabilities, or of the absolute difference of the numbers. */
  readonly differences: number
}

/** Compares what two models made of the same rows. */
export type RowsComparer = (left: ScoredRows, right: ScoredRows) => RowsComparison

const compareNumbers: RowsComparer = (left, right) => {
  let rows = 0
  let disagreements = 0
  let differences = 0
  for (let row = 0; row < left.rows.length; row++) {
    if (left.refused.has(row) || right.refused.has(row)) continue
    const a = left.outputs[row]!
    const b = right.outputs[row]!
    rows += 1
    if (!isNear(a, b)) disagreements += 1
    differences += Math.abs(a - b)
  }
  return { rows, disagreements, differences }
}

const compareClasses = (left: ScoredRows, right: ScoredRows, aligned: ClassAlignment): RowsComparison => {
  const [leftNames, rightNames] = [left.model.classNames, right.model.classNames]
  const width = aligned.left.length
  let rows = 0
  let disagreements = 0
  let differences = 0
  for (let row = 0; row < left.rows.length; row++) {
    if (left.refused.has(row) || right.refused.has(row)) continue
    rows += 1
    if (leftNames[left.classIndexes[row]!] !== rightNames[right.classIndexes[row]!]) disagreements += 1
    let sum = 0
    for (let c = 0; c < width; c++) {
      const l = aligned.left[c]!
      const r = aligned.right[c]!
      // A class that a model does not know has the probability 0.
      const a = l < 0 ? 0 : left.outputs[row * aligned.leftClasses + l]!
      const b = r < 0 ? 0 : right.outputs[row * aligned.rightClasses + r]!
      sum += Math.abs(a - b)
    }
    differences += sum / width
  }
  return { rows, disagreements, differences }
}

/** Makes a comparer that finds the classes of each pair of models side by side once. */
export const createRowsComparer = (): RowsComparer => {
  let known: { left: readonly string[]; right: readonly string[]; aligned: ClassAlignment } | undefined
  return (left, right) => {
    if (left.model.kind === 'regression' || right.model.kind === 'regression') return compareNumbers(left, right)
    const names = { left: left.model.classNames, right: right.model.classNames }
    if (known?.left !== names.left || known.right !== names.right) {
      known = { ...names, aligned: alignClasses(names.left, names.right) }
    }
    return compareClasses(left, right, known.aligned)
  }
}
