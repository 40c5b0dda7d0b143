import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDecideLetter } from '../../../../src/cli/dead-letters/decide-letter.ts'
import type { Destination } from '../../../../src/cli/dead-letters/destinations.ts'
import type { LetterFilter } from '../../../../src/cli/dead-letters/letter-scan.ts'
import { ReplayBlocked, ReplayFenced } from '../../../../src/cli/dead-letters/replay-errors.ts'
import { prepareReplay, type ReplayDeps, type ReplayPlan } from '../../../../src/cli/dead-letters/replay-letters.ts'
import { createRandom } from '../../../../src/features/random.ts'
import { deadLetterOf } from '../../../../src/kafka/dead-letters.ts'
import { CommitUncertain, KafkaUnavailable, SendFailed } from '../../../../src/kafka/kafka-errors.ts'
import { replayHeaders } from '../../../../streams/dead-letter-replay.ts'
import { createMemoryKafka, Killed } from '../../../support/memory-kafka.ts'

const FEATURES = 't.features'
const LETTERS = 't.dead-letters'
const NO_SKIPS = {
  ...{ already_replayed: 0, too_many_attempts: 0, truncated: 0, would_fail: 0, repeated: 0 },
  ...{ unknown_source: 0, dropped_by_fix: 0, beyond_limit: 0, gone: 0 },
}

/** Refuses values that begin with `bad`. */
const features: Destination = {
  topic: FEATURES,
  fields: ['event_id'],
  faultOf: async (value) =>
    Buffer.from(value ?? [])
      .toString()
      .startsWith('bad')
      ? { code: 'BAD', message: 'still bad' }
      : null,
  write: () => ({ ok: false, code: 'X', message: '' }),
}
const destinations = new Map([[FEATURES, features]])
const all: LetterFilter = { codes: null, sinceMs: null, untilMs: null, topics: null }

const world = (partitions = 2) => {
  const kafka = createMemoryKafka({ [FEATURES]: partitions, [LETTERS]: partitions })
  let offset = 0
  const letter = (
    value: string | Buffer,
    change: {
      code?: string
      headers?: Record<string, Uint8Array>
      offset?: number
      topic?: string
      failedAt?: number
    } = {},
  ): string => {
    const source = change.offset ?? offset++
    const record = deadLetterOf(
      {
        ...{ topic: change.topic ?? FEATURES, partition: source % partitions, offset: BigInt(source), timestamp: 5 },
        ...{ key: Buffer.from(`k${source}`), value: Buffer.from(value), headers: change.headers ?? {} },
      },
      { code: change.code ?? 'BAD_AVRO', message: 'm' },
      { topic: LETTERS, partitions, failedAt: change.failedAt ?? 1000 + source },
    )
    return `${record.partition}-${kafka.write(record)}`
  }
  const deps = (change: Partial<ReplayDeps> & { force?: boolean } = {}): ReplayDeps => ({
    ...{ client: kafka.client, admin: kafka.admin, task: 't', deadLetterTopic: LETTERS, sources: new Set([FEATURES]) },
    decide: createDecideLetter({ destinations, repair: null, force: change.force ?? false, admin: kafka.admin }),
    ...{ by: 'cli:somebody', now: () => 9000, wait: async () => undefined },
    ...change,
  })
  const plan = (change: Partial<ReplayPlan> & { again?: boolean; maxAttempts?: number } = {}): ReplayPlan => ({
    filter: change.filter ?? all,
    rules: { maxAttempts: change.maxAttempts ?? 3, again: change.again ?? false },
    limit: change.limit ?? null,
  })
  const replay = async (...[change, planned]: [Parameters<typeof deps>[0]?, Parameters<typeof plan>[0]?]) =>
    (await prepareReplay(deps(change), plan(planned))).send()
  const sentFor = (): string[] =>
    kafka.committed(FEATURES).map((record) => Buffer.from(record.headers[replayHeaders.of] ?? []).toString())
  return { kafka, letter, deps, plan, replay, sentFor }
}

const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString()

test('sends key, bytes and own headers back to where they came from, marks it, and sends nothing a second time', async () => {
  const { kafka, letter, replay } = world()
  letter('one')
  const id = letter(Buffer.from([0, 255, 7]), {
    headers: { trace: Buffer.from('t'), [replayHeaders.count]: Buffer.from('1') },
  })

  expect(await replay()).toEqual({ selected: 2, sent: 2, skipped: NO_SKIPS, transactions: 1 })
  const [, second] = kafka.committed(FEATURES)
  expect(second?.partition).toBe(1)
  expect([text(second?.key), Buffer.from(second?.value ?? [])]).toEqual(['k1', Buffer.from([0, 255, 7])])
  const headers = Object.entries(second?.headers ?? {}).map(([name, value]) => [name, text(value)])
  expect(Object.fromEntries(headers)).toEqual({ trace: 't', [replayHeaders.of]: id, [replayHeaders.count]: '2' })

  const marker = kafka
    .committed(LETTERS)
    .find((record) => text(record.headers[replayHeaders.of]) === id && record.value === null)
  expect(marker).toMatchObject({ partition: 1, value: null })
  expect(text(marker?.headers[replayHeaders.at])).toBe('9000')
  expect(text(marker?.headers[replayHeaders.by])).toBe('cli:somebody')
  expect(text(marker?.headers[replayHeaders.source])).toBe('t.features-1-1')

  expect(await replay()).toEqual({
    ...{ selected: 2, sent: 0, skipped: { ...NO_SKIPS, already_replayed: 2 }, transactions: 0 },
  })
  expect(kafka.committed(FEATURES)).toHaveLength(2)
})

test('leaves out, with the reason, what is cut, would fail, failed too often, or came from elsewhere', async () => {
  const { kafka, letter, replay, sentFor } = world()
  const good = letter('good')
  letter('bad')
  letter('loop', { headers: { [replayHeaders.count]: Buffer.from('3') } })
  letter(Buffer.alloc(3_000_000))
  letter('foreign', { topic: 'other.topic' })
  kafka.write({ topic: LETTERS, partition: 0, key: null, value: Buffer.from('no letter') })

  expect(await replay()).toMatchObject({
    selected: 5,
    sent: 1,
    skipped: { ...NO_SKIPS, would_fail: 1, too_many_attempts: 1, truncated: 1, unknown_source: 1 },
  })
  expect(sentFor()).toEqual([good])
  expect(await replay({ force: true }, { maxAttempts: 4 })).toMatchObject({ sent: 2 })
  expect(sentFor()).toHaveLength(3)
})

test('brokers that do not answer for a moment are asked again in the next round', async () => {
  const { kafka, letter, deps, plan } = world()
  letter('one')
  let asked = 0
  const admin = {
    ...kafka.admin,
    topicConfig: async (topic: string) => {
      asked += 1
      if (asked === 1) throw new KafkaUnavailable('no broker answers')
      return kafka.admin.topicConfig(topic)
    },
  }
  const decide = createDecideLetter({ destinations, repair: null, force: false, admin })
  const replay = await prepareReplay(deps({ decide }), plan())
  expect(await replay.send()).toMatchObject({ sent: 1 })
  expect(asked).toBe(2)
})

test('what the topic cannot hold is left out even by force', async () => {
  const { letter, replay } = world()
  letter(Buffer.alloc(1_048_400, 1))
  expect(await replay({ force: true })).toMatchObject({ sent: 0, skipped: { would_fail: 1 } })
})

test('several letters of one record are one: the last is sent, and a mark on any of them counts', async () => {
  const { letter, replay, sentFor } = world()
  letter('x', { offset: 4, failedAt: 1000 })
  const last = letter('x', { offset: 4, failedAt: 2000 })
  expect(await replay()).toMatchObject({ selected: 2, sent: 1, skipped: { repeated: 1 } })
  expect(sentFor()).toEqual([last])

  letter('x', { offset: 4, failedAt: 3000 })
  expect(await replay()).toMatchObject({ sent: 0, skipped: { repeated: 2, already_replayed: 1 } })
  // Also where the marked one is not among the chosen.
  expect(await replay({}, { filter: { ...all, sinceMs: 2500 } })).toMatchObject({ selected: 1, sent: 0 })
})

test('chooses by code, time and topic; a limit takes the oldest of a partition', async () => {
  const { letter, replay, sentFor } = world(1)
  const ids = ['A', 'B', 'A', 'A'].map((code, i) => letter(`v${i}`, { code, failedAt: i * 10 }))
  expect(await replay({}, { filter: { ...all, codes: new Set(['A']), sinceMs: 5, untilMs: 25 } })).toMatchObject({
    ...{ selected: 1, sent: 1 },
  })
  expect(sentFor()).toEqual([ids[2]])
  expect(await replay({}, { filter: { ...all, topics: new Set(['t.labels']) } })).toMatchObject({ selected: 0 })
  expect(await replay({}, { limit: 1 })).toMatchObject({
    selected: 4,
    sent: 1,
    skipped: { already_replayed: 1, beyond_limit: 2 },
  })
  expect(sentFor()).toEqual([ids[2], ids[0]])
})

test('again sends what was sent before, once a run', async () => {
  const { kafka, letter, replay, sentFor } = world()
  const id = letter('x')
  await replay()
  let first = true
  kafka.failCommits((records) => {
    const fault = first && records.some((record) => record.topic === FEATURES) ? 'lost' : null
    if (fault !== null) first = false
    return fault
  })
  expect(await replay({}, { again: true })).toMatchObject({ sent: 1 })
  expect(sentFor()).toEqual([id, id])
})

test('a letter that fails again while the replay runs is not sent again by it', async () => {
  const { kafka, letter, deps, plan, sentFor } = world()
  letter('x')
  const prepared = await prepareReplay(deps(), plan())
  letter('y')
  expect(await prepared.send()).toMatchObject({ selected: 1, sent: 1 })
  expect(sentFor()).toHaveLength(1)
  expect(kafka.committed(FEATURES)).toHaveLength(1)
})

test('a trial writes nothing and tells what would be', async () => {
  const { kafka, letter, deps, plan } = world()
  letter('good')
  letter('bad')
  const before = kafka.committed(LETTERS).length
  const prepared = await prepareReplay(deps(), plan())
  expect(prepared).toMatchObject({ selected: 2, candidates: 2 })
  expect(await prepared.tryOut()).toEqual({
    selected: 2,
    sent: 1,
    skipped: { ...NO_SKIPS, would_fail: 1 },
    transactions: 0,
  })
  expect(kafka.committed(LETTERS)).toHaveLength(before)
  expect(kafka.committed(FEATURES)).toHaveLength(0)
})

test('marks behind an open transaction are waited for; while they cannot be read nothing is sent', async () => {
  const { kafka, letter, replay, sentFor } = world(1)
  letter('x')
  // Somebody's transaction begins while the first replay is on its way: the mark lies behind it.
  let commit: (() => void) | undefined
  kafka.failCommits((records) => {
    if (records.some((record) => record.topic === FEATURES)) {
      commit ??= kafka.writeOpen({ topic: LETTERS, partition: 0, key: null, value: Buffer.from('slow') })
    }
    return null
  })
  expect(await replay()).toMatchObject({ sent: 1 })
  await expect(replay({ barrierTimeoutMs: 1 })).rejects.toThrow(ReplayBlocked)
  expect(sentFor()).toHaveLength(1)
  commit?.()
  expect(await replay()).toMatchObject({ sent: 0, skipped: { already_replayed: 1 } })
})

test('a second replay ends the first, and each letter is sent once', async () => {
  const { kafka, letter, deps, plan, sentFor } = world()
  const ids = Array.from({ length: 1200 }, (_, i) => letter(`v${i}`))
  const second = await prepareReplay(deps(), plan())
  let outcome: Promise<unknown> | undefined
  kafka.failCommits((records) => {
    // The second opens the id while the first is in the middle.
    if (outcome === undefined && records.some((record) => record.topic === FEATURES)) outcome = second.send()
    return null
  })
  const first = await prepareReplay(deps(), plan())
  await expect(first.send()).rejects.toThrow(ReplayFenced)
  expect(await outcome).toMatchObject({ selected: 1200, skipped: { would_fail: 0 } })
  expect(sentFor().sort()).toEqual([...ids].sort())
})

test('whatever happens to commits, and however often it is run again, each letter is sent once', async () => {
  const faults = ['lost', 'refused', 'killed-before', 'killed-after'] as const
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1300 }), async (seed, count) => {
      const { kafka, letter, replay, sentFor } = world(3)
      const random = createRandom(seed, 'faults')
      const ids = Array.from({ length: count }, (_, i) => letter(`v${i}`))
      let left = 8
      kafka.failCommits(() => {
        if (left === 0 || random.next() < 0.5) return null
        left -= 1
        return faults[random.below(faults.length)]!
      })
      for (let runs = 0; ; runs++) {
        expect(runs).toBeLessThan(12)
        try {
          await replay({ onNote: () => undefined })
          break
        } catch (error) {
          // After as many faults in a row it gives up, and is run again.
          if (![Killed, SendFailed, CommitUncertain].some((kind) => error instanceof kind)) throw error
        }
      }
      expect(sentFor().sort()).toEqual(ids.sort())
    }),
    { numRuns: 12, seed: 7 },
  )
}, 60_000)

test('letters that retention takes meanwhile are told of as gone', async () => {
  const { kafka, letter, deps, plan } = world(1)
  letter('x')
  const { readRanges } = kafka.client
  // The first look finds it, the one that reads its bytes does not.
  let looks = 0
  const client = {
    ...kafka.client,
    readRanges: (options: Parameters<typeof readRanges>[0]) => {
      const ranges = looks++ === 0 ? options.ranges : new Map([...options.ranges].filter(([, { from }]) => from > 0n))
      return readRanges({ ...options, ranges })
    },
  }
  const late = await prepareReplay(deps({ client }), plan())
  expect(await late.send()).toMatchObject({ selected: 1, sent: 0, skipped: { gone: 1 }, transactions: 0 })
})
