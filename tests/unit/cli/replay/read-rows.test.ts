import { describe, expect, test } from 'vitest'
import { createRowsComparison } from '../../../../src/cli/replay/compare-rows.ts'
import { type RowsPlace, readRows, type ScoredRow } from '../../../../src/cli/replay/read-rows.ts'
import type { OffsetRange, RecordBatch } from '../../../../src/kafka/kafka-types.ts'
import { sampleBatch } from '../../../support/sample-batch.ts'

/** A partition whose records are the numbers of source records, in batches. */
const partitionOf = (batches: readonly (readonly number[])[]) => {
  let read = 0
  const client: RowsPlace['client'] = {
    readRanges: async ({ topic, ranges, process, signal }) => {
      const [[partition]] = [...ranges] as [[number, OffsetRange]]
      for (const numbers of batches) {
        signal?.throwIfAborted()
        read += 1
        await process(
          sampleBatch(
            numbers.map((number) => ({ value: String(number) })),
            { topic, partition },
          ),
        )
      }
    },
  }
  return { client, read: () => read }
}

const numbersOf = (batch: RecordBatch): { offset: number }[] =>
  Array.from({ length: batch.length }, (_, i) => ({
    offset: Number(batch.bytes.toString('utf8', batch.valueStarts[i], batch.valueEnds[i])),
  }))

const offsetsOf = async (place: Pick<RowsPlace, 'client'> & Partial<RowsPlace>, remarks = { late: 0 }) => {
  const about = { topic: 'predictions', partition: 1, range: { from: 0n, to: 1000n }, from: 0, to: 1000, distance: 10 }
  const offsets: number[] = []
  for await (const rows of readRows({ ...about, ...place }, numbersOf, remarks)) {
    offsets.push(...rows.map(({ offset }) => offset))
  }
  return offsets
}

const count = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

describe('the rows of a partition', () => {
  test('come in the order of their source records, each once, and only those asked for', async () => {
    const { client } = partitionOf([count(0, 5), [3, 4], [], count(3, 9), count(7, 30)])
    expect(await offsetsOf({ client, from: 2, to: 20 })).toEqual(count(2, 20))
  })

  test('are not read further than they can matter', async () => {
    const { client, read } = partitionOf(Array.from({ length: 100 }, (_, i) => count(10 * i, 10 * i + 10)))
    expect(await offsetsOf({ client, from: 0, to: 25 })).toEqual(count(0, 25))
    expect(read()).toBeLessThan(8)
  })

  test('are nothing of an empty range, which is not asked for', async () => {
    const { client, read } = partitionOf([[1]])
    expect(await offsetsOf({ client, range: { from: 5n, to: 5n } })).toEqual([])
    expect(read()).toBe(0)
  })

  test('that come again too late are told', async () => {
    const { client } = partitionOf([count(0, 30), count(30, 60), count(0, 3)])
    const remarks = { late: 0 }
    expect(await offsetsOf({ client }, remarks)).toEqual(count(0, 60))
    expect(remarks.late).toBe(3)
  })
})

describe('the comparison of two sides', () => {
  async function* side(rows: readonly ScoredRow[]) {
    yield rows
  }
  const row = (offset: number, version: string, prediction: string, probabilities: readonly number[]): ScoredRow => ({
    ...{ offset, version, prediction, probabilities, value: null },
  })

  test('is told over all partitions, by published version, with what one side alone has', async () => {
    let rows = 0
    const comparison = createRowsComparison({
      target: { name: 'c', type: 'classification', classes: ['no', 'yes'] },
      classesOf: (version) => (version === '10' ? ['yes', 'no'] : null),
      replayedClasses: ['no', 'yes'],
      onRow: () => void rows++,
    })
    await comparison.add(
      side([row(1, '10', 'yes', [0.75, 0.25]), row(2, '9', 'no', [1, 0]), row(4, '10', 'no', [0, 1])]),
      side([row(1, '3', 'yes', [0.5, 0.5]), row(3, '3', 'no', [1, 0]), row(4, '3', 'yes', [0, 1])]),
    )
    await comparison.add(side([]), side([row(1, '3', 'no', [1, 0])]))
    const { overall, by_published_version: versions, ...sides } = comparison.result()
    expect(sides).toEqual({ only_published: 1, only_replayed: 2 })
    expect(overall).toMatchObject({
      rows: 2,
      equal: 1,
      confusion: [
        [0, 1],
        [0, 1],
      ],
    })
    expect(versions).toMatchObject([
      {
        model_version: '10',
        agreement: { rows: 2, probabilities: { rows: 2, mean_absolute_difference: 0.625, max_absolute_difference: 1 } },
      },
    ])
    expect(rows).toBe(5)
  })
})
