import type { FamilyScorer, ModelShape } from '../family-scorer.ts'
import type { Sections } from '../sections.ts'

/** ln(1 / (1 + exp(-t))), exact for any finite t. */
const logSigmoid = (t: number): number => (t >= 0 ? -Math.log1p(Math.exp(-t)) : t - Math.log1p(Math.exp(t)))

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
      // In logarithms, relative to the greatest: far out every sigmoid is 0, and their shares are still defined.
      let greatest = Number.NEGATIVE_INFINITY
      let weight = 0
      for (let c = 0; c < outputs; c++) {
        let score = 0
        for (let column = 0; column < columns; column++) score += weights[weight++]! * rows[first + column]!
        const log = logSigmoid(score + weights[weight++]!)
        probabilities[out + c] = log
        if (log > greatest) greatest = log
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
