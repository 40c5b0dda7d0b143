import type { FamilyScorer, ModelShape } from '../family-scorer.ts'
import { ArtefactCorrupt } from '../model-errors.ts'
import type { Sections } from '../sections.ts'

/**
 * A linear function, `w . x + b`. Section: `weights`, float64, `columns + 1`, the intercept last.
 * @throws ArtefactCorrupt
 */
export const openRidge = (sections: Sections, { kind, columns }: ModelShape): FamilyScorer => {
  if (kind === 'classification') throw new ArtefactCorrupt('ridge regression tells numbers, and the model has classes')
  const weights = sections.float64('weights', columns + 1)

  return (rows, from, count, out, at) => {
    for (let row = 0; row < count; row++) {
      const first = from + row * columns
      let sum = weights[columns]!
      for (let column = 0; column < columns; column++) sum += weights[column]! * rows[first + column]!
      out[at + row] = sum
    }
  }
}
