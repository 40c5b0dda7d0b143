import { describe, expect, it } from 'vitest'
import { shareRows } from '../../../src/training/share-rows.ts'
import { classTarget, numberTarget, rawRows } from '../../support/histogram-rows.ts'

describe('shared rows', () => {
  it('are the same rows in shared memory, and stay there', async () => {
    for (const target of [classTarget([0, 1]), numberTarget([1.5, 2.5])]) {
      const rows = rawRows(
        [
          [1, 0],
          [Number.NaN, 2],
        ],
        target,
        [0, 3],
      )
      const shared = await shareRows(rows)
      expect(shared).toEqual(rows)
      expect(shared.features.buffer).toBeInstanceOf(SharedArrayBuffer)
      expect(shared.categories.buffer).toBeInstanceOf(SharedArrayBuffer)
      const again = await shareRows(shared)
      expect(again.features).toBe(shared.features)
      expect(again.target).toEqual(shared.target)
    }
  })

  it('are copied with pauses, so that the event loop runs on', async () => {
    const columns = 8
    const rows = 2 ** 18
    const large = {
      features: Float64Array.from({ length: rows * columns }, (_, i) => i),
      rows,
      columns,
      categories: new Int32Array(columns),
      target: numberTarget(new Array<number>(rows).fill(1)),
    }
    let turns = 0
    let copying = true
    const turn = (): void => {
      turns++
      if (copying) setImmediate(turn)
    }
    setImmediate(turn)
    const shared = await shareRows(large)
    copying = false
    expect(turns).toBeGreaterThanOrEqual(7)
    expect(Buffer.from(shared.features.buffer).equals(Buffer.from(large.features.buffer))).toBe(true)
  })
})
