import type { FamilyScorer, ModelShape } from '../family-scorer.ts'
import type { Sections } from '../sections.ts'
import { createCoupling, pairsOf } from './pairwise-coupling.ts'
import { openSvmDecisions } from './svm-decisions.ts'

// LIBSVM's bound: a pair is never quite sure, so that every class keeps a probability above 0.
export const MIN_PAIR_PROBABILITY = 1e-7

/** The decision of one machine is the predicted value. */
const openRegression = (sections: Sections, shape: ModelShape): FamilyScorer => {
  const { columns } = shape
  const decide = openSvmDecisions(sections, shape)
  const decision = new Float64Array(1)
  return (rows, from, count, out, at) => {
    for (let row = 0; row < count; row++) {
      decide(rows, from + row * columns, decision)
      out[at + row] = decision[0]!
    }
  }
}

const openClasses = (sections: Sections, shape: ModelShape): FamilyScorer => {
  const { columns, outputs: classes } = shape
  const pairs = pairsOf(classes)
  const decide = openSvmDecisions(sections, shape)
  const platt = sections.float64('platt', 2 * pairs.length)
  const firsts = Int32Array.from(pairs, ([first]) => first)
  const seconds = Int32Array.from(pairs, ([, second]) => second)
  const decisions = new Float64Array(pairs.length)
  const r = new Float64Array(classes * classes)
  const couple = createCoupling(classes)

  return (rows, from, count, probabilities, at) => {
    for (let row = 0; row < count; row++) {
      decide(rows, from + row * columns, decisions)
      for (let pair = 0; pair < decisions.length; pair++) {
        const p = 1 / (1 + Math.exp(platt[2 * pair]! * decisions[pair]! + platt[2 * pair + 1]!))
        const bounded = Math.min(1 - MIN_PAIR_PROBABILITY, Math.max(MIN_PAIR_PROBABILITY, p))
        r[firsts[pair]! * classes + seconds[pair]!] = bounded
        r[seconds[pair]! * classes + firsts[pair]!] = 1 - bounded
      }
      couple(r, probabilities, at + row * classes)
    }
  }
}

/**
 * Support vector machines. For classes one machine per pair: Platt's sigmoid of each decision, then pairwise coupling;
 * sections: those of `openSvmDecisions`, and `platt` float64, `a` and `b` of each pair. For a regression one machine,
 * whose decision is the value in the target's unit.
 * @throws ArtefactCorrupt
 */
export const openSvm = (sections: Sections, shape: ModelShape): FamilyScorer =>
  shape.kind === 'regression' ? openRegression(sections, shape) : openClasses(sections, shape)
