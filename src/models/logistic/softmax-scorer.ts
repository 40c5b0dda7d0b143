import type { FamilyScorer, ModelShape } from '../family-scorer.ts'
import type { Sections } from '../sections.ts'
import { softmax } from '../softmax.ts'

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
      let weight = 0
      for (let c = 0; c < outputs; c++) {
        let margin = 0
        for (let column = 0; column < columns; column++) margin += weights[weight++]! * rows[first + column]!
        probabilities[out + c] = margin + weights[weight++]!
      }
      softmax(probabilities, out, outputs)
    }
  }
}
