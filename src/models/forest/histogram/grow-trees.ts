import type { TrainingTarget } from '../../estimator.ts'
import type { FlatForest } from '../flat-forest.ts'
import type { BinnedRows } from './binned-rows.ts'
import { drawRows, treeRandom } from './bootstrap.ts'
import { createClassSearch } from './class-search.ts'
import { createForestBuilder } from './forest-builder.ts'
import { createTreeGrower } from './grow-tree.ts'
import type { GrowthRules } from './growth-rules.ts'
import { createValueSearch } from './value-search.ts'

/**
 * Grows trees of a forest. A tree depends on the rows, the rules, the seed and its number alone, so a forest may be
 * grown in parts, anywhere and in any order.
 * @param seed 32-bit whole number
 * @param nextTree the numbers of the trees to grow, one a call; undefined at the end
 * @returns the trees, in the order of `nextTree`
 */
export const growTrees = (
  binned: BinnedRows,
  target: TrainingTarget,
  rules: GrowthRules,
  seed: number,
  nextTree: () => number | undefined,
): FlatForest => {
  const search =
    target.kind === 'classification'
      ? createClassSearch(binned, target.labels, target.classes, rules)
      : createValueSearch(binned, target.values, rules)
  const builder = createForestBuilder(search.outputs)
  const growTree = createTreeGrower(binned, search, rules, builder)
  const weights = new Int32Array(binned.rows)
  for (let tree = nextTree(); tree !== undefined; tree = nextTree()) {
    const random = treeRandom(seed, tree)
    drawRows(rules.bootstrap, random, weights)
    growTree(weights, random)
  }
  return builder.finish()
}
