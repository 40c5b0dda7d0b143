import type { Dataset } from '../../features/dataset.ts'
import { createRandom, shuffle } from '../../features/random.ts'
import { strataOf } from '../../features/strata.ts'

/** From a round to the next, this many times fewer trials see this many times more rows. */
const FACTOR = 3

/** No round sees fewer rows: scores of fewer say too little. */
const LEAST_ROWS = 100

/** A round of a search: so many trials are cross-validated on so many rows. */
export type SearchRound = { readonly trials: number; readonly rows: number }

/**
 * The rounds of successive halving (Jamieson and Talwalkar 2016), by thirds: the last round sees all rows, each one
 * before it a third of the next one's rows, but at least 100, with three times as many trials.
 */
export const halvingRounds = (trials: number, rows: number): SearchRound[] => {
  const rounds: SearchRound[] = []
  let left = trials
  const count = Math.ceil(Math.log(trials) / Math.log(FACTOR) - 1e-9) + 1
  for (let round = 0; round < count; round++) {
    const share = FACTOR ** (count - 1 - round)
    rounds.push({ trials: left, rows: Math.min(rows, Math.max(LEAST_ROWS, Math.round(rows / share))) })
    left = Math.ceil(left / FACTOR)
  }
  return rounds
}

/**
 * Row indices of a part of the dataset, ascending. A smaller part lies within a larger one of the same seed. Classes
 * keep their shares, but each has at least `leastPerClass` rows where there are as many.
 */
export const partOfRows = (dataset: Dataset, rows: number, leastPerClass: number, seed: number): Int32Array => {
  const random = createRandom(seed, 'search rows')
  // Numbers are one stratum: where each run of like targets had to be there, no part could be small.
  const { labels, count } = strataOf(dataset, dataset.rows)
  const least = dataset.kind === 'classification' ? leastPerClass : 0
  const share = rows / dataset.rows
  const groups = Array.from({ length: count }, (): number[] => [])
  labels.forEach((label, row) => {
    groups[label]!.push(row)
  })
  const taken = groups.flatMap((group) =>
    shuffle(group, random).slice(0, Math.max(least, Math.round(group.length * share))),
  )
  return Int32Array.from(taken).sort()
}
