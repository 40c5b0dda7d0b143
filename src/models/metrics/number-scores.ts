/** How near predicted numbers come to the true ones. */
export type NumberScores = { r2: number; rmse: number; mae: number }

/** No R2 is less: sums of squares of it, over folds, have to stay finite. One row far outside costs its model this. */
const LEAST_R2 = -1e150

/** Beyond it a square overflows. */
const GREATEST_SQUARED = 1e150

const greatestOf = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

/**
 * All three are finite.
 * - R2: `1 - sum (y - f)^2 / sum (y - mean y)^2`, at least -1e150; 0 where the targets do not vary;
 * - RMSE: `sqrt(mean (y - f)^2)`; MAE: `mean |y - f|`, both in the target's unit.
 * @param predicted one number per target
 * @param targets at least one
 */
export const scoreNumbers = (predicted: Float64Array, targets: Float64Array): NumberScores => {
  const rows = targets.length
  // About the first target: the mean of equal ones is then that one, to the last bit.
  const first = targets[0]!
  const mean = first + targets.reduce((sum, target) => sum + (target - first), 0) / rows
  const errors = targets.map((target, row) => target - predicted[row]!)
  const greatest = greatestOf(errors)
  const unit = greatest > GREATEST_SQUARED ? greatest : 1
  let squares = 0
  let distances = 0
  let variation = 0
  targets.forEach((target, row) => {
    const error = errors[row]! / unit
    squares += error * error
    distances += Math.abs(error)
    variation += (target - mean) ** 2
  })
  return {
    r2: variation === 0 ? 0 : Math.max(LEAST_R2, 1 - (squares / variation) * unit * unit),
    rmse: unit * Math.sqrt(squares / rows),
    mae: unit * (distances / rows),
  }
}
