import { expect, test, vi } from 'vitest'
import type { PartitionLoop } from '../../../../src/kafka/platformatic/partition-loop.ts'
import { createPartitionLoops, type PartitionPlace } from '../../../../src/kafka/platformatic/partition-loops.ts'

/** Loops of which each ends when the test says so. */
const createBed = () => {
  const log: string[] = []
  const made: { end: () => void; busySince: number | null; began: boolean; givenUp: () => boolean }[] = []
  const loops = createPartitionLoops(({ partition }, after, givenUp): PartitionLoop => {
    const ended = Promise.withResolvers<void>()
    const state = { end: ended.resolve, busySince: null as number | null, began: false, givenUp }
    made.push(state)
    after.then(() => {
      state.began = true
    })
    return {
      onConfirmed: () => log.push(`confirm ${partition}`),
      hold: () => undefined,
      busySince: () => state.busySince,
      close: async () => {
        log.push(`close ${partition}`)
        if (state.busySince !== null) await ended.promise
      },
      ended: ended.promise,
    }
  })
  const at = (...partitions: number[]): PartitionPlace[] => partitions.map((partition) => ({ topic: 't', partition }))
  return { log, made, loops, at }
}

const moment = () => new Promise((resolve) => setImmediate(resolve))

test('begins what is new, confirms what stays, closes what is gone', () => {
  const { log, made, loops, at } = createBed()
  expect(loops.assign(at(0, 1))).toBe(0)
  expect(loops.assign(at(1, 2))).toBe(1)
  expect(log).toEqual(['close 0', 'confirm 1'])
  expect(made).toHaveLength(3)
  expect([0, 1, 2].map((partition) => loops.has({ topic: 't', partition }))).toEqual([false, true, true])
})

test('a partition that comes back waits for all of its older loops', async () => {
  const { made, loops, at } = createBed()
  const [place] = at(0)
  for (const partitions of [at(0), [], at(0), [], at(0)]) loops.assign(partitions)
  expect(made).toHaveLength(3)
  made[1]!.end()
  await moment()
  expect([made[2]!.began, loops.hasAlone(place!)]).toEqual([false, false])
  made[0]!.end()
  await moment()
  expect([made[2]!.began, loops.hasAlone(place!)]).toEqual([true, true])
})

test('a partition is given up once others may have it, and not because the consumer stops', () => {
  const { made, loops, at } = createBed()
  const givenUp = () => made.map((loop) => loop.givenUp())
  loops.assign(at(0, 1, 2))
  loops.assign(at(0, 1))
  expect(givenUp()).toEqual([false, false, true])
  loops.closeAll()
  expect(givenUp()).toEqual([false, false, true])
  // The group shares out anew while the consumer is on its way out.
  loops.giveUp(at(1, 2))
  expect(givenUp()).toEqual([true, false, true])
  loops.giveUp()
  expect(givenUp()).toEqual([true, true, true])
})

test('sees a loop that hangs, however often its partition went and came back', () => {
  const { made, loops, at } = createBed()
  loops.assign(at(0))
  made[0]!.busySince = performance.now() - 1000
  for (const partitions of [[], at(0), [], at(0)]) {
    loops.assign(partitions)
    expect(loops.stalled(900)?.where).toBe('t-0')
    expect(loops.stalled(5000)).toBeNull()
  }
})

test('is settled when those that have something at hand have ended', async () => {
  const { made, loops, at } = createBed()
  loops.assign(at(0, 1))
  made[1]!.busySince = 0
  loops.closeAll()
  const settled = vi.fn()
  loops.settled().then(settled)
  await moment()
  expect(settled).not.toHaveBeenCalled()
  made[1]!.end()
  await moment()
  expect(settled).toHaveBeenCalled()
})
