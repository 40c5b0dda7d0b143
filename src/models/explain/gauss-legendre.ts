/** Points in (0, 1) and weights that sum to 1. */
export type Quadrature = { readonly points: Float64Array; readonly weights: Float64Array }

/** P_n(x) and P_(n-1)(x), the Legendre polynomials, by Bonnet's recurrence (DLMF 18.9.1). */
const legendre = (n: number, x: number): [value: number, before: number] => {
  let before = 1
  let value = x
  for (let k = 2; k <= n; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k]
  return [value, before]
}

/**
 * Gauss-Legendre quadrature over [0, 1]: exact for polynomials up to degree `2 n - 1`. The points are the roots of P_n
 * by Newton's method from Tricomi's guess `cos(pi (i + 3/4) / (n + 1/2))`, the weights `2 / ((1 - x^2) P_n'(x)^2)`
 * (DLMF 3.5(v)), both moved from [-1, 1].
 * @param n at least 1
 */
export const gaussLegendre = (n: number): Quadrature => {
  const points = new Float64Array(n)
  const weights = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    let x = n === 1 ? 0 : Math.cos((Math.PI * (i + 0.75)) / (n + 0.5))
    let slope = 1
    // It converges quadratically: five steps from this guess reach the last digit, the others change nothing.
    for (let iteration = 0; iteration < 8; iteration++) {
      const [value, before] = legendre(n, x)
      slope = (n * (before - x * value)) / (1 - x * x)
      x -= value / slope
    }
    points[i] = (1 - x) / 2
    weights[i] = 1 / ((1 - x * x) * slope * slope)
  }
  return { points, weights }
}
