/** How near predicted numbers come to the true ones. */
export type NumberScores = { r2: number; rmse: number; mae: number }

/**
 * - R2: `1 - sum (y - f)^2 / sum (y - mean y)^2`, 0 where the targets do not vary;
 * - RMSE: `sqrt(mean (y - f)^2)`; MAE: `mean |y - f|`, both in the target's unit.
 * @param predicted one number per target
 * @param targets at least one
 */
export const scoreNumbers = (predicted: Float64Array, targets: Float64Array): NumberScores => {
  const rows = targets.length
  const mean = targets.reduce((sum, target) => sum + target, 0) / rows
  let squares = 0
  let distances = 0
  let variation = 0
  targets.forEach((target, row) => {
    const error = target - predicted[row]!
    squares += error * error
    distances += Math.abs(error)
    variation += (target - mean) ** 2
  })
  return {
    r2: variation === 0 ? 0 : 1 - squares / variation,
    rmse: Math.sqrt(squares / rows),
    mae: distances / rows,
  }
}
