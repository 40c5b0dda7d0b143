import { createRandom, type Random } from '../../features/random.ts'
import type { Candidate } from '../candidate.ts'

/** Numbers from `from` to `to`, both among them; by `log`, ratios are drawn evenly, and `from` is above 0. */
export type SearchRange = {
  readonly from: number
  readonly to: number
  readonly scale: 'linear' | 'log'
  readonly integer: boolean
}

export type SearchPlan = {
  /** `random`: every draw on all rows; `halving`: all draws on a part of them, and the best third on three times more. */
  readonly method: 'random' | 'halving'
  /** Draws. */
  readonly trials: number
  /** The values that each parameter may take. */
  readonly over: Readonly<Record<string, readonly (number | string | boolean)[] | SearchRange>>
}

const drawNumber = ({ from, to, scale, integer }: SearchRange, random: Random): number => {
  // A whole number owns the half on either side of it, so that the ends are as likely as the others.
  const least = integer ? from - 0.5 : from
  const greatest = integer ? to + 0.5 : to
  const share = random.next()
  const drawn =
    scale === 'log'
      ? Math.exp(Math.log(least) + share * (Math.log(greatest) - Math.log(least)))
      : least + share * (greatest - least)
  return Math.min(to, Math.max(from, integer ? Math.round(drawn) : drawn))
}

/**
 * The candidates that a search tries: the candidate as it is, and then draws of its parameters, each other than those
 * before it. There are fewer than `trials` where the values do not give as many.
 * @param seed 32-bit whole number; the draws follow from it and the candidate's name
 */
export const drawTrials = (candidate: Candidate, search: SearchPlan, seed: number): Candidate[] => {
  const random = createRandom(seed, `${candidate.name} search`)
  const trials: Candidate[] = []
  const seen = new Set<string>()
  // Each trial may miss a hundred times: a list of few values is soon exhausted.
  for (let draw = 0; trials.length < search.trials && draw < 100 * search.trials; draw++) {
    const drawn = Object.entries(search.over).map(([name, values]) => [
      name,
      'from' in values ? drawNumber(values, random) : values[random.below(values.length)],
    ])
    const parameters = { ...candidate.parameters, ...(draw === 0 ? {} : Object.fromEntries(drawn)) }
    const key = JSON.stringify(parameters)
    if (seen.has(key)) continue
    seen.add(key)
    const name = `${candidate.name}#${trials.length + 1}`
    // The configuration has checked every value of `over` against the engine's parameters.
    trials.push({ ...candidate, name, parameters } as Candidate)
  }
  return trials
}
