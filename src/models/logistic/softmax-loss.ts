import type { Objective } from '../optimise/lbfgs.ts'

/**
 * The mean log loss of rows under multinomial logistic regression, `1 / (2 C rows) |w|^2` added, intercepts free. The
 * point is row-major, `machines * (columns + 1)`, intercepts last. Scikit-learn minimises the same.
 * @param labels class indices
 */
export const softmaxLoss = (
  features: Float64Array,
  labels: Int32Array,
  classes: number,
  columns: number,
  C: number,
): Objective => {
  const rows = labels.length
  const width = columns + 1
  const margins = new Float64Array(classes)

  return (weights, gradient) => {
    gradient.fill(0)
    let loss = 0
    for (let row = 0; row < rows; row++) {
      const from = row * columns
      let greatest = Number.NEGATIVE_INFINITY
      for (let c = 0; c < classes; c++) {
        const at = c * width
        let margin = weights[at + columns]!
        for (let column = 0; column < columns; column++) margin += weights[at + column]! * features[from + column]!
        margins[c] = margin
        if (margin > greatest) greatest = margin
      }
      const label = labels[row]!
      const own = margins[label]!
      let sum = 0
      for (let c = 0; c < classes; c++) {
        const share = Math.exp(margins[c]! - greatest)
        margins[c] = share
        sum += share
      }
      loss += Math.log(sum) + greatest - own
      for (let c = 0; c < classes; c++) {
        const residual = margins[c]! / sum - (c === label ? 1 : 0)
        const at = c * width
        for (let column = 0; column < columns; column++) {
          gradient[at + column] = gradient[at + column]! + residual * features[from + column]!
        }
        gradient[at + columns] = gradient[at + columns]! + residual
      }
    }
    return regularise(weights, gradient, loss, rows, columns, C)
  }
}

/**
 * The same for two classes with one machine, whose margin is the log-odds of class 1: what is regularised differs from
 * that of two machines, and this is what everybody means by logistic regression of two classes.
 */
export const sigmoidLoss = (features: Float64Array, labels: Int32Array, columns: number, C: number): Objective => {
  const rows = labels.length

  return (weights, gradient) => {
    gradient.fill(0)
    let loss = 0
    for (let row = 0; row < rows; row++) {
      const from = row * columns
      let margin = weights[columns]!
      for (let column = 0; column < columns; column++) margin += weights[column]! * features[from + column]!
      const tail = Math.exp(-Math.abs(margin))
      const probability = margin >= 0 ? 1 / (1 + tail) : tail / (1 + tail)
      loss += Math.log1p(tail) + Math.max(margin, 0) - labels[row]! * margin
      const residual = probability - labels[row]!
      for (let column = 0; column < columns; column++) {
        gradient[column] = gradient[column]! + residual * features[from + column]!
      }
      gradient[columns] = gradient[columns]! + residual
    }
    return regularise(weights, gradient, loss, rows, columns, C)
  }
}

/** Makes sums over the rows means, and adds the penalty to value and gradient. */
const regularise = (
  weights: Float64Array,
  gradient: Float64Array,
  loss: number,
  rows: number,
  columns: number,
  C: number,
): number => {
  const strength = 1 / (C * rows)
  let squares = 0
  for (let at = 0; at < weights.length; at++) {
    gradient[at] = gradient[at]! / rows
    if (at % (columns + 1) === columns) continue
    squares += weights[at]! * weights[at]!
    gradient[at] = gradient[at]! + strength * weights[at]!
  }
  return loss / rows + (strength * squares) / 2
}
