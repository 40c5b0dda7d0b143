import type { FamilyScorer, ModelShape } from '../family-scorer.ts'
import type { Sections } from '../sections.ts'

/**
 * Multinomial logistic regression: class c has margin `w_c . x + b_c`, and its probability is
 * `exp(margin_c) / sum over classes of exp(margin)`. Section: `softmax_weights`, float64, `outputs * (columns + 1)`,
 * each class's intercept last.
 * @throws ArtefactCorrupt
 */
export const openSoftmax = (sections: Sections, { columns, outputs }: ModelShape): FamilyScorer => {
  const weights = sections.float64('softmax_weights', outputs * (columns + 1))

  return (rows, from, count, probabilities, at) => {
    for (let row = 0; row < count; row++) {
      const first = from + row * columns
      const out = at + row * outputs
      let greatest = Number.NEGATIVE_INFINITY
      let weight = 0
      for (let c = 0; c < outputs; c++) {
        let margin = 0
        for (let column = 0; column < columns; column++) margin += weights[weight++]! * rows[first + column]!
        margin += weights[weight++]!
        probabilities[out + c] = margin
        if (margin > greatest) greatest = margin
      }
      let sum = 0
      for (let c = 0; c < outputs; c++) {
        const share = Math.exp(probabilities[out + c]! - greatest)
        probabilities[out + c] = share
        sum += share
      }
      for (let c = 0; c < outputs; c++) probabilities[out + c] = probabilities[out + c]! / sum
    }
  }
}
