import type { FamilyScorer, ModelShape } from '../family-scorer.ts'
import type { Sections } from '../sections.ts'
import { logLogistic, softmax } from '../softmax.ts'

/**
 * One-vs-rest logistic regression: class c has weight `sigmoid(w_c . x + b_c)`, and the weights are divided by their
 * sum. Section: `weights`, float64, `outputs * (columns + 1)`, each class's intercept last.
 * @throws ArtefactCorrupt
 */
export const openOneVsRest = (sections: Sections, { columns, outputs }: ModelShape): FamilyScorer => {
  const weights = sections.float64('weights', outputs * (columns + 1))

  return (rows, from, count, probabilities, at) => {
    for (let row = 0; row < count; row++) {
      const first = from + row * columns
      const out = at + row * outputs
      let weight = 0
      for (let c = 0; c < outputs; c++) {
        let score = 0
        for (let column = 0; column < columns; column++) score += weights[weight++]! * rows[first + column]!
        probabilities[out + c] = logLogistic(score + weights[weight++]!)
      }
      // In logarithms: far out every sigmoid is 0, and their shares are still defined.
      softmax(probabilities, out, outputs)
    }
  }
}
