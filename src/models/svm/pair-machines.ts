import { createRandom, deriveSeed } from '../../features/random.ts'
import { stratifiedFolds } from '../../features/stratified.ts'
import { classTargetOf, type TrainingRows } from '../estimator.ts'
import { FitFailed } from '../model-errors.ts'
import { decisionOf, type Kernel, type KernelMachine } from './kernel-machine.ts'
import { pairsOf } from './pairwise-coupling.ts'
import { fitPlatt, type PlattSigmoid } from './platt.ts'

/**
 * Trains one machine for two classes.
 * @param rows the training rows to learn from, those of the first class first
 * @param firsts how many of them are of the first class; at least one, and not all
 * @throws FitFailed
 */
export type TrainPair = (rows: Int32Array, firsts: number, seed: number) => KernelMachine

export type PairMachine = KernelMachine & { readonly platt: PlattSigmoid }

type PairRows = { readonly rows: Int32Array; readonly firsts: number }

const rowsByClass = (labels: Int32Array, classes: number): number[][] => {
  const groups = Array.from({ length: classes }, (): number[] => [])
  labels.forEach((label, row) => {
    groups[label]!.push(row)
  })
  return groups
}

/** Those of a pair's rows that a fold leaves. */
const rowsLeft = ({ rows, firsts }: PairRows, fold: Int32Array): PairRows => {
  const held = new Set(fold)
  return {
    rows: rows.filter((_, i) => !held.has(i)),
    firsts: firsts - fold.filter((i) => i < firsts).length,
  }
}

/** Decision values of every row of the pair by a machine that has not seen it. */
const heldOutDecisions = (pair: PairRows, folds: number, seed: number, decide: HeldOutDecider): number[] => {
  const { rows, firsts } = pair
  const decisions = new Array<number>(rows.length).fill(0)
  const labels = Int32Array.from(rows, (_, i) => (i < firsts ? 0 : 1))
  const parts = stratifiedFolds(labels, 2, Math.min(folds, rows.length), createRandom(seed, 'platt folds'))
  parts.forEach((fold, index) => {
    const left = rowsLeft(pair, fold)
    const decision = decide(left, deriveSeed(seed, `platt ${index}`))
    for (const i of fold) decisions[i] = decision(rows[i]!)
  })
  return decisions
}

type HeldOutDecider = (left: PairRows, seed: number) => (row: number) => number

/**
 * One machine for each pair of classes, in the order of `pairsOf`, with Platt's sigmoid of decisions on held-out folds.
 * @param folds how many times a pair is trained again for the sigmoid
 * @throws FitFailed
 */
export const trainPairs = (
  rows: TrainingRows,
  kernel: Kernel,
  folds: number,
  seed: number,
  train: TrainPair,
): PairMachine[] => {
  const { labels, classes } = classTargetOf(rows)
  const decide: HeldOutDecider = (left, foldSeed) => {
    // Where a fold takes all rows of a class, LIBSVM, too, decides for the other one.
    if (left.firsts === 0) return () => -1
    if (left.firsts === left.rows.length) return () => 1
    const machine = train(left.rows, left.firsts, foldSeed)
    return (row) => decisionOf(machine, kernel, rows.features, rows.columns, row)
  }
  const groups = rowsByClass(labels, classes)
  const absent = groups.findIndex((group) => group.length === 0)
  if (absent >= 0) {
    throw new FitFailed(
      `none of the ${rows.rows} training rows is of class ${absent}; add rows of it, or take it out of the task`,
    )
  }
  return pairsOf(classes).map(([first, second]) => {
    const firstRows = groups[first]!
    const pair = { rows: Int32Array.from([...firstRows, ...groups[second]!]), firsts: firstRows.length }
    const pairSeed = deriveSeed(seed, `pair ${first} ${second}`)
    const machine = train(pair.rows, pair.firsts, pairSeed)
    const decisions = heldOutDecisions(pair, folds, pairSeed, decide)
    const isFirst = decisions.map((_, i) => i < pair.firsts)
    return { ...machine, platt: fitPlatt(decisions, isFirst) }
  })
}
