import type { ModelShape } from '../family-scorer.ts'
import type { Sections } from '../sections.ts'
import { pairsOf } from '../svm/pairwise-coupling.ts'
import { takeSupports } from '../svm/svm-decisions.ts'
import { MIN_PAIR_PROBABILITY } from '../svm/svm-scorer.ts'
import { embedIntegers, embedNumbers } from './embed-array.ts'

/** Defines `decide(row)`: the decision of each machine for a standardised row, as `openSvmDecisions` computes it. */
const decisionCode = (sections: Sections, shape: ModelShape): string => {
  const { columns } = shape
  const intercepts = `const intercepts = ${embedNumbers(sections.float64('intercepts'))}`
  if (!sections.has('gamma')) {
    return `${intercepts}
const weights = ${embedNumbers(sections.float64('weights'))}
const decide = (row) =>
  Array.from(intercepts, (intercept, machine) => {
    let sum = intercept
    for (let c = 0; c < ${columns}; c++) sum += weights[machine * ${columns} + c] * row[c]
    return sum
  })`
  }
  const vectors = sections.float64('vectors')
  const count = vectors.length / columns
  const supports = takeSupports(sections, count, shape)
  return `${intercepts}
const vectors = ${embedNumbers(vectors)}
// The vectors that support each machine, with their coefficients; those of machine m end at ends[m].
const ends = ${embedIntegers(supports.ends)}
const supporting = ${embedIntegers(supports.vectors)}
const coefficients = ${embedNumbers(supports.coefficients)}
const decide = (row) => {
  const kernels = Float64Array.from({ length: ${count} }, (_, v) => {
    let squares = 0
    for (let c = 0; c < ${columns}; c++) squares += (row[c] - vectors[v * ${columns} + c]) ** 2
    return Math.exp(${-sections.float64('gamma', 1)[0]!} * squares)
  })
  let at = 0
  return Array.from(intercepts, (intercept, machine) => {
    let sum = intercept
    for (; at < ends[machine]; at++) sum += coefficients[at] * kernels[supporting[at]]
    return sum
  })
}`
}

/** Defines `couple(r)`: probabilities of classes from those of pairs, by the sweeps of `createCoupling`. */
const couplingCode = (classes: number): string => {
  if (classes === 2) return 'const couple = (r) => [r[1], 1 - r[1]]'
  return `const couple = (r) => {
  const q = r.map((_, at) => {
    const t = Math.floor(at / ${classes})
    const j = at % ${classes}
    if (t !== j) return -r[j * ${classes} + t] * r[at]
    let diagonal = 0
    for (let i = 0; i < ${classes}; i++) if (i !== t) diagonal += r[i * ${classes} + t] ** 2
    return diagonal
  })
  const p = new Float64Array(${classes}).fill(${1 / classes})
  const qp = new Float64Array(${classes})
  for (let sweep = 0; sweep < 100; sweep++) {
    let pqp = 0
    for (let t = 0; t < ${classes}; t++) {
      qp[t] = 0
      for (let j = 0; j < ${classes}; j++) qp[t] += q[t * ${classes} + j] * p[j]
      pqp += p[t] * qp[t]
    }
    if (qp.every((value) => Math.abs(value - pqp) < ${1e-10 / classes})) break
    for (let t = 0; t < ${classes}; t++) {
      const diagonal = q[t * ${classes} + t]
      const change = (pqp - qp[t]) / diagonal
      const norm = 1 + change
      p[t] += change
      pqp = (pqp + change * (change * diagonal + 2 * qp[t])) / (norm * norm)
      for (let j = 0; j < ${classes}; j++) {
        qp[j] = (qp[j] + change * q[t * ${classes} + j]) / norm
        p[j] /= norm
      }
    }
  }
  const sum = p.reduce((total, share) => total + share, 0)
  return Array.from(p, (share) => share / sum)
}`
}

/** Defines `scoreRow(row)`, as `openSvm` computes it for a standardised row. */
export const svmCode = (sections: Sections, shape: ModelShape): string => {
  const decisions = decisionCode(sections, shape)
  if (shape.kind === 'regression') return `${decisions}\nconst scoreRow = decide`
  const classes = shape.outputs
  const pairs = pairsOf(classes)
  const least = MIN_PAIR_PROBABILITY
  return `${decisions}
const platt = ${embedNumbers(sections.float64('platt', 2 * pairs.length))}
const firsts = ${embedIntegers(pairs.map(([first]) => first))}
const seconds = ${embedIntegers(pairs.map(([, second]) => second))}
${couplingCode(classes)}
const scoreRow = (row) => {
  const r = new Float64Array(${classes * classes})
  decide(row).forEach((decision, pair) => {
    const p = 1 / (1 + Math.exp(platt[2 * pair] * decision + platt[2 * pair + 1]))
    const bounded = Math.min(${1 - least}, Math.max(${least}, p))
    r[firsts[pair] * ${classes} + seconds[pair]] = bounded
    r[seconds[pair] * ${classes} + firsts[pair]] = 1 - bounded
  })
  return couple(r)
}`
}
