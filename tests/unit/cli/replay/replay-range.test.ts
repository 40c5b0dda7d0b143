import { InvalidArgumentError } from 'commander'
import { describe, expect, test } from 'vitest'
import { offsetRangesBetween, offsetsIn } from '../../../../src/cli/replay/replay-range.ts'
import { parseReplayTime } from '../../../../src/cli/replay/replay-time.ts'

const now = Date.parse('2030-01-31T12:00:00Z')

describe('the times of a replay', () => {
  test.each([
    ['earliest', { at: 'earliest' }],
    ['latest', { at: 'latest' }],
    ['-2h', { at: 'time', timestampMs: now - 7_200_000 }],
    ['15m', { at: 'time', timestampMs: now - 900_000 }],
    ['2030-01-31T11:00:00Z', { at: 'time', timestampMs: now - 3_600_000 }],
  ])('%s', (text, expected) => {
    expect(parseReplayTime(text, now)).toEqual(expected)
  })

  test.each(['', '-', '--2h', 'yesterday', '2030-01-31T11:00:00', 'EARLIEST'])('refuses %j', (text) => {
    expect(() => parseReplayTime(text, now)).toThrow(InvalidArgumentError)
  })
})

describe('the offsets between two times', () => {
  /** Timestamps by partition; the log starts at `start`. */
  const adminOf = (partitions: readonly { start: number; timestamps: readonly number[] }[]) => ({
    offsetRanges: async () =>
      new Map(
        partitions.map(({ start, timestamps }, partition) => [
          partition,
          { from: BigInt(start), to: BigInt(start + timestamps.length) },
        ]),
      ),
    offsetsAt: async (_topic: string, timestampMs: number) =>
      new Map(
        partitions.map(({ start, timestamps }, partition) => {
          const place = timestamps.findIndex((timestamp) => timestamp >= timestampMs)
          return [partition, BigInt(start + (place < 0 ? timestamps.length : place))]
        }),
      ),
  })
  const at = (timestampMs: number) => ({ at: 'time', timestampMs }) as const
  const admin = adminOf([
    { start: 10, timestamps: [100, 200, 200, 300] },
    { start: 0, timestamps: [150, 250] },
    { start: 5, timestamps: [] },
  ])

  test('the first one counts, the last one does not', async () => {
    expect(await offsetRangesBetween(admin, 'topic', at(200), at(300))).toEqual(
      new Map([
        [0, { from: 11n, to: 13n }],
        [1, { from: 1n, to: 2n }],
      ]),
    )
  })

  test('all that the log holds, from earliest to latest', async () => {
    const all = await offsetRangesBetween(admin, 'topic', { at: 'earliest' }, { at: 'latest' })
    expect(all).toEqual(
      new Map([
        [0, { from: 10n, to: 14n }],
        [1, { from: 0n, to: 2n }],
      ]),
    )
    expect(offsetsIn(all)).toBe(6)
  })

  test('nothing where the end comes before the start, or nothing is in between', async () => {
    expect((await offsetRangesBetween(admin, 'topic', at(300), at(100))).size).toBe(0)
    expect((await offsetRangesBetween(admin, 'topic', at(210), at(240))).size).toBe(0)
    expect((await offsetRangesBetween(admin, 'topic', at(400), { at: 'latest' })).size).toBe(0)
  })
})
