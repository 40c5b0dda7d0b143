/** ln of the logistic function, ln(1 / (1 + exp(-z))), without overflow: `min(z, 0) - ln(1 + exp(-|z|))`. */
export const logLogistic = (z: number): number => Math.min(z, 0) - Math.log1p(Math.exp(-Math.abs(z)))

/**
 * Turns the `outputs` finite numbers from `at` on, in place, into `exp(z_c) / sum over classes of exp(z)`: relative to
 * the greatest, so that nothing overflows and far out the shares are still defined. Allocates nothing.
 */
export const softmax = (out: Float64Array, at: number, outputs: number): void => {
  const end = at + outputs
  let greatest = out[at]!
  for (let o = at + 1; o < end; o++) greatest = Math.max(greatest, out[o]!)
  let sum = 0
  for (let o = at; o < end; o++) {
    const share = Math.exp(out[o]! - greatest)
    out[o] = share
    sum += share
  }
  for (let o = at; o < end; o++) out[o] = out[o]! / sum
}
