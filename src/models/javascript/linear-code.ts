import type { Sections } from '../sections.ts'
import { embedNumbers } from './embed-array.ts'

const sharesCode = `const sharesOf = (logs) => {
  const greatest = logs.reduce((most, log) => Math.max(most, log))
  const weights = logs.map((log) => Math.exp(log - greatest))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}`

const marginsCode = (weights: Float64Array, columns: number, outputs: number): string =>
  `const weights = ${embedNumbers(weights)}
const margins = (row) =>
  Array.from({ length: ${outputs} }, (_, output) => {
    let sum = 0
    for (let c = 0; c < ${columns}; c++) sum += weights[output * ${columns + 1} + c] * row[c]
    return sum + weights[output * ${columns + 1} + ${columns}]
  })`

/** Defines `scoreRow(row)`: the value of a standardised row, as `openRidge` computes it. */
export const ridgeCode = (sections: Sections, columns: number): string =>
  `${marginsCode(sections.float64('weights', columns + 1), columns, 1)}
const scoreRow = margins`

/** Defines `scoreRow(row)`: the probabilities of a standardised row, as `openLogistic` computes them. */
export const logisticCode = (sections: Sections, columns: number, classes: number): string => {
  const isSoftmax = sections.has('softmax_weights')
  const weights = sections.float64(isSoftmax ? 'softmax_weights' : 'weights', classes * (columns + 1))
  const logSigmoid = 'const logSigmoid = (t) => (t >= 0 ? -Math.log1p(Math.exp(-t)) : t - Math.log1p(Math.exp(t)))\n'
  return `${marginsCode(weights, columns, classes)}
${sharesCode}
${isSoftmax ? '' : logSigmoid}const scoreRow = (row) => sharesOf(margins(row)${isSoftmax ? '' : '.map(logSigmoid)'})`
}
