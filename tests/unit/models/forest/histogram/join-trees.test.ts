import { describe, expect, it } from 'vitest'
import { binFeatures } from '../../../../../src/models/forest/histogram/bin-features.ts'
import { growTrees } from '../../../../../src/models/forest/histogram/grow-trees.ts'
import { settleRules } from '../../../../../src/models/forest/histogram/growth-rules.ts'
import { joinTrees } from '../../../../../src/models/forest/histogram/join-trees.ts'
import { classTarget, forestParameters, rawRows } from '../../../../support/histogram-rows.ts'

describe('joined trees', () => {
  const rows = rawRows(
    Array.from({ length: 120 }, (_, i) => [(i * 37) % 50, i % 7]),
    classTarget(Array.from({ length: 120 }, (_, i) => (((i * 37) % 50) + (i % 7) * 5) % 3)),
    [0, 7],
  )
  const rules = settleRules(forestParameters(), 2, rows.target)
  const binned = binFeatures(rows, 256)
  const grow = (trees: readonly number[]) => {
    const left = [...trees]
    return { forest: growTrees(binned, rows.target, rules, 5, () => left.shift()), trees }
  }

  it('are the forest that is grown in one go, whatever part grew which tree', () => {
    const whole = grow([0, 1, 2, 3, 4, 5]).forest
    expect(whole.categoryWords.length).toBeGreaterThan(0)
    expect(joinTrees([grow([1, 2, 5]), grow([0, 4]), grow([3])])).toEqual(whole)
    expect(joinTrees([grow([]), grow([0, 1, 2, 3, 4, 5])])).toEqual(whole)
  })
})
