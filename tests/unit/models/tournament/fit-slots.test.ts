import { expect, it } from 'vitest'
import { createFitSlots } from '../../../../src/models/tournament/fit-slots.ts'

it.each([1, 2, 3])('no more than %i run at once, they begin in the order of asking, and all end', async (slots) => {
  const { take } = createFitSlots(slots)
  const begun: number[] = []
  let running = 0
  let most = 0
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) =>
      take(async () => {
        begun.push(i)
        most = Math.max(most, ++running)
        for (let turn = i % 4; turn >= 0; turn--) await new Promise((resolve) => setImmediate(resolve))
        running--
        if (i % 3 === 0) throw new Error('a fit that fails gives its slot back')
        return i
      }),
    ),
  )
  expect(most).toBe(slots)
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(results.map((result) => (result.status === 'fulfilled' ? result.value : null))).toEqual([
    null,
    1,
    2,
    null,
    4,
    5,
    null,
    7,
    8,
    null,
  ])
})
