import { describe, expect, it } from 'vitest'
import { createLinearExplainer } from '../../../../src/models/explain/linear-explainer.ts'
import fixture from '../../../fixtures/explain/shap.json' with { type: 'json' }

describe.each(fixture.linear.map((one) => [one.name, one] as const))('a linear model of %s', (_, one) => {
  const { columns, mean, scale, intercepts, rows } = one
  const outputs = intercepts.length
  const explainer = createLinearExplainer({
    weights: Float64Array.from(one.weights.flatMap((weights, output) => [...weights, intercepts[output]!])),
    outputs,
    standardiser: { mean, scale },
    categories: new Int32Array(columns),
  })

  it('has the contributions of the shap package', () => {
    expect(rows.length).toBeGreaterThan(5)
    const out = new Float64Array(columns * outputs)
    rows.forEach((row, i) => {
      explainer.explain(Float64Array.from(row), out)
      one.contributions[i]!.forEach((expected, at) => {
        expect(Math.abs(out[at]! - expected)).toBeLessThan(1e-9)
      })
    })
    one.expected.forEach((expected, output) => {
      expect(Math.abs(explainer.expected[output]! - expected)).toBeLessThan(1e-9)
    })
  })
})

describe('a linear model of a category', () => {
  it('sums the columns of the category up, and gives a missing value no part', () => {
    const explainer = createLinearExplainer({
      weights: Float64Array.of(2, 1, -1, 3, 10),
      outputs: 1,
      standardiser: { mean: [5, 0.5, 0.25, 0.25], scale: [2, 0.5, 0.5, 0.5] },
      categories: [0, 3],
    })
    const out = new Float64Array(2)
    explainer.explain(Float64Array.of(7, 1), out)
    expect([...explainer.expected]).toEqual([10])
    // The number: 2 * (7 - 5) / 2. The second of three categories: columns -1, 1.5 and -0.5 times weights 1, -1 and 3.
    expect([...out]).toEqual([2, -1 - 1.5 - 1.5])
    explainer.explain(Float64Array.of(Number.NaN, Number.NaN), out)
    expect([...out]).toEqual([0, 0])
    explainer.explain(Float64Array.of(5, 3), out)
    // A category that is not known is 0 in all columns.
    expect([...out]).toEqual([0, -1 + 0.5 - 1.5])
  })
})
