import { describe, expect, it } from 'vitest'
import { gaussLegendre } from '../../../../src/models/explain/gauss-legendre.ts'

const integral = (n: number, power: number): number => {
  const { points, weights } = gaussLegendre(n)
  return points.reduce((sum, point, i) => sum + weights[i]! * point ** power, 0)
}

describe('Gauss-Legendre quadrature', () => {
  it.each([1, 2, 3, 5, 8, 16, 33, 64])('with %i points is exact up to degree 2 n - 1, and no further', (n) => {
    for (let power = 0; power < 2 * n; power++) {
      expect(Math.abs(integral(n, power) - 1 / (power + 1))).toBeLessThan(1e-14)
    }
    // Beyond a few points the error of the next degree is lost in rounding.
    if (n <= 8) expect(Math.abs(integral(n, 2 * n) - 1 / (2 * n + 1))).toBeGreaterThan(1e-12)
  })

  it('has its points within the interval, symmetric and apart', () => {
    const { points, weights } = gaussLegendre(40)
    const ascending = [...points].sort((a, b) => a - b)
    ascending.forEach((point, i) => {
      expect(point > 0 && point < 1).toBe(true)
      expect(point + ascending[39 - i]!).toBeCloseTo(1, 14)
      if (i > 0) expect(point - ascending[i - 1]!).toBeGreaterThan(1e-4)
    })
    expect(weights.every((weight) => weight > 0)).toBe(true)
  })
})
