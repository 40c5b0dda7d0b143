import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { kafkaClientNames } from '../../../src/config/kafka-schema.ts'
import { createRandom } from '../../../src/features/random.ts'
import { type FaultKind, scheduleOf } from '../../soak/fault-kinds.ts'
import { readSoakOptions } from '../../soak/soak-options.ts'
import { MOST_RESIDENT_BYTES, reportOf, type SoakResult, violationsOf, withReport } from '../../soak/soak-report.ts'

const good: Omit<SoakResult, 'violations'> = {
  options: readSoakOptions(['--seed', '7', '--client', 'kafkajs']),
  machine: 'a machine',
  versions: 'versions',
  faultSeconds: 1200,
  faults: [{ name: 'a worker is killed', times: 9, longestPauseMs: 1234 }],
  verdict: {
    ...{ events: 1000, predictions: 990, deadLetters: 10, lost: 0, duplicated: 0, strangers: 0, outOfOrder: 0 },
    ...{ sentTwice: 0, examples: [] },
  },
  sent: 1000,
  uncertain: 0,
  openTransactions: [],
  workerStarts: 11,
  ownEnds: [],
  mostResidentBytes: 200 * 2 ** 20,
  eldest: null,
}

describe('the verdict of a soak', () => {
  it('is clean where every event came out once', () => {
    expect(violationsOf(good)).toEqual([])
    expect(reportOf({ ...good, violations: [] })).toMatch(/^Passed: client kafkajs, seed 7, 20 minutes/)
  })

  it.each(['lost', 'duplicated', 'strangers', 'outOfOrder', 'sentTwice'] as const)('tells of events %s', (name) => {
    const result = { ...good, verdict: { ...good.verdict!, [name]: 3 } }
    expect(violationsOf(result)).toEqual([`${name}: 3`])
    expect(reportOf({ ...result, violations: violationsOf(result) })).toMatch(/^\*\*Failed\*\*/)
  })

  it('tells where nothing could be counted, a transaction is open, or a worker has grown', () => {
    const result = { ...good, verdict: null, openTransactions: ['t'], mostResidentBytes: MOST_RESIDENT_BYTES + 1 }
    expect(violationsOf(result)).toHaveLength(3)
  })

  it('bears a worker that ended with a reason, and none that fell over', () => {
    const end = { worker: 'worker 1', code: 4, reason: 'driftline: Kafka cannot be reached' }
    expect(violationsOf({ ...good, ownEnds: [end] })).toEqual([])
    const fallen = { ...end, reason: 'driftline: an unexpected error; please report it' }
    expect(violationsOf({ ...good, ownEnds: [fallen] })).toHaveLength(1)
    expect(violationsOf({ ...good, ownEnds: [{ ...end, code: null, reason: 'SIGSEGV' }] })).toHaveLength(1)
  })
})

describe('the report in docs/reliability.md', () => {
  const document = readFileSync(new URL('../../../docs/reliability.md', import.meta.url), 'utf8')

  it.each(kafkaClientNames)('has a place for %s, and is written anew there alone', (client) => {
    const once = withReport(document, client, 'first')
    expect(withReport(once, client, 'second')).toBe(withReport(document, client, 'second'))
    const others = kafkaClientNames.filter((name) => name !== client)
    for (const other of others) {
      const partOf = (text: string) => text.split(`<!-- soak ${other}: begin -->`)[1]
      expect(partOf(once)?.split('<!-- soak')[0]).toBe(partOf(document)?.split('<!-- soak')[0])
    }
  })

  it('is refused by a document without a place', () => {
    expect(() => withReport('nothing', 'kafkajs', 'text')).toThrow('no part')
  })
})

describe('the schedule of faults', () => {
  const kinds: FaultKind[] = ['a', 'b', 'c'].map((name) => ({ name, strike: async () => undefined }))
  const firstOf = (seed: number, count: number): string[] =>
    scheduleOf(kinds, createRandom(seed, 'soak'))
      .take(count)
      .map(({ name }) => name)
      .toArray()

  it('has each kind once in a round, in an order that the seed decides', () => {
    expect(firstOf(1, 3).toSorted()).toEqual(['a', 'b', 'c'])
    expect(firstOf(1, 30)).toEqual(firstOf(1, 30))
    expect(new Set([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => firstOf(seed, 9).join(''))).size).toBeGreaterThan(4)
  })
})

describe('the options of a soak', () => {
  it('are checked, with the option in the message', () => {
    expect(readSoakOptions(['--minutes', '2', '--client', 'platformatic', '--only', 'Redis'])).toMatchObject({
      ...{ minutes: 2, client: 'platformatic', only: ['Redis'] },
    })
    expect(() => readSoakOptions(['--minutes', 'soon'])).toThrow('--minutes is "soon"')
    expect(() => readSoakOptions(['--client', 'other'])).toThrow('--client is "other"')
  })
})
