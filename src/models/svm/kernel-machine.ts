/** `exp(-gamma d^2)` of the distance d of two rows, or their scalar product. */
export type Kernel = { readonly kind: 'rbf'; readonly gamma: number } | { readonly kind: 'linear' }

/** `decision(x) = intercept + sum of coefficients[i] * K(x, vector i)`. */
export type KernelMachine = {
  /** The training rows that are its support vectors. */
  readonly supportRows: Int32Array
  /** One per support vector. */
  readonly coefficients: Float64Array
  readonly intercept: number
}

/**
 * The kernel of two rows.
 * @param features row-major, `columns` to a row
 */
export const kernelOf = (kernel: Kernel, features: Float64Array, columns: number, a: number, b: number): number => {
  let sum = 0
  if (kernel.kind === 'linear') {
    for (let column = 0; column < columns; column++)
      sum += features[a * columns + column]! * features[b * columns + column]!
    return sum
  }
  const [atA, atB] = [a * columns, b * columns]
  for (let column = 0; column < columns; column++) {
    const difference = features[atA + column]! - features[atB + column]!
    sum += difference * difference
  }
  return Math.exp(-kernel.gamma * sum)
}

/** The decision value of one of the rows that the machine's support vectors come from. */
export const decisionOf = (
  machine: KernelMachine,
  kernel: Kernel,
  features: Float64Array,
  columns: number,
  row: number,
): number => {
  const { supportRows, coefficients } = machine
  let decision = machine.intercept
  for (let i = 0; i < supportRows.length; i++) {
    decision += coefficients[i]! * kernelOf(kernel, features, columns, supportRows[i]!, row)
  }
  return decision
}
