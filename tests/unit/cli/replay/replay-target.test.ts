import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ReplayRefused } from '../../../../src/cli/replay/replay-errors.ts'
import { createReplayPlans, type ReplayPlans } from '../../../../src/cli/replay/replay-plan.ts'
import { type OpenReplayOptions, openReplay, replayTopicsOf } from '../../../../src/cli/replay/replay-target.ts'
import { ConfigInvalid } from '../../../../src/errors.ts'
import type { KafkaAdmin, OffsetRange, TopicSpec } from '../../../../src/kafka/kafka-types.ts'
import { topicsOf } from '../../../../streams/topics.ts'

describe('the topics of a replay', () => {
  const topics = topicsOf('task')

  test('its own, with one for what cannot be scored', () => {
    expect(replayTopicsOf('again.3', topics)).toEqual({
      predictions: { name: 'again.3' },
      deadLetters: { name: 'again.3.dead-letters' },
    })
  })

  test.each(Object.values(topics).map(({ name }) => name))('never %s, which is live', (name) => {
    expect(() => replayTopicsOf(name, topics)).toThrow(ConfigInvalid)
  })

  test.each(['task', '', '.', '..', 'a b', '../x', 'a/b', 'x'.repeat(240)])('not %j', (name) => {
    // The dead letters of "task" would be those of the task.
    expect(() => replayTopicsOf(name, topics)).toThrow(ConfigInvalid)
  })
})

describe('a replay into a topic', () => {
  const asked = { from: '-2h', to: 'latest', model: 'production' }
  const ranges = new Map<number, OffsetRange>([
    [0, { from: 5n, to: 9n }],
    [2, { from: 0n, to: 2n ** 60n }],
  ])
  const newPlan = async () => ({ version: '3', fromMs: 1000, ranges })
  let folder: string
  let plans: ReplayPlans
  let made: TopicSpec[]
  /** Offsets that the topics hold, and where the groups stand. */
  let held: Map<string, Map<number, OffsetRange>>
  let lag: Map<string, Map<number, bigint>>

  const open = (changed: Partial<OpenReplayOptions> = {}) =>
    openReplay({
      admin: {
        ensureTopics: async (specs: readonly TopicSpec[]) => void made.push(...specs),
        offsetRanges: async (topic: string) => held.get(topic) ?? new Map(),
        consumerLag: async (group: string) => lag.get(group) ?? new Map([[0, 20n]]),
      } as Partial<KafkaAdmin> as KafkaAdmin,
      task: 'task',
      source: 'task.features',
      topics: replayTopicsOf('again', topicsOf('task')),
      partitions: 3,
      replicationFactor: 1,
      plans,
      asked,
      restart: false,
      newPlan,
      now: () => 36 ** 3,
      ...changed,
    })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'driftline-replay-'))
    plans = createReplayPlans(join(folder, 'replays'))
    made = []
    held = new Map([['task.features', new Map([[0, { from: 0n, to: 20n }]])]])
    lag = new Map()
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('begins with a plan that is kept, and topics with the partitions of the source', async () => {
    const { plan, goesOn } = await open()
    expect(plan).toEqual({ asked, group: 'task.replay.again', version: '3', fromMs: 1000, ranges })
    expect(goesOn).toBe(false)
    expect(made.map(({ name, partitions }) => [name, partitions])).toEqual([
      ['again', 3],
      ['again.dead-letters', 3],
    ])
    expect(await createReplayPlans(join(folder, 'replays')).read('again')).toEqual(plan)
    expect(await readdir(join(folder, 'replays'))).toEqual(['again.json'])
  })

  test('goes on with the plan of its beginning, whatever the options would mean now', async () => {
    const { plan } = await open()
    held.set('again', new Map([[0, { from: 0n, to: 7n }]]))
    const again = await open({
      newPlan: async () => {
        throw new Error('nobody asks for a plan')
      },
    })
    expect(again).toEqual({ plan, goesOn: true })
  })

  test('does not go on where what it had written is gone', async () => {
    const { plan } = await open()
    // Ended before it had written anything: nothing is missing.
    expect(await open()).toEqual({ plan, goesOn: true })
    lag.set(plan.group, new Map([[0, 12n]]))
    await expect(open()).rejects.toThrow('--restart')
    held.set('again.dead-letters', new Map([[0, { from: 0n, to: 3n }]]))
    expect(await open()).toEqual({ plan, goesOn: true })
  })

  test('is not continued with other options', async () => {
    await open()
    const other = open({ asked: { ...asked, model: '4' } })
    await expect(other).rejects.toThrow(ReplayRefused)
    await expect(other).rejects.toThrow('--from -2h --to latest --model production')
  })

  test('never begins in a topic that holds something else', async () => {
    held.set('again', new Map([[1, { from: 3n, to: 4n }]]))
    await expect(open()).rejects.toThrow(ReplayRefused)
    expect(await plans.read('again')).toBeNull()
  })

  test('starts anew in a topic that was emptied, with a group of its own, and not in one that was not', async () => {
    await open()
    held.set('again', new Map([[0, { from: 0n, to: 7n }]]))
    await expect(open({ restart: true })).rejects.toThrow('cannot be taken back')
    held.delete('again')
    const { plan, goesOn } = await open({ restart: true, asked: { ...asked, model: '4' } })
    expect([plan.group, goesOn]).toEqual(['task.replay.again.1000', false])
  })

  test('does not take over the position of a replay into a topic that was deleted since', async () => {
    lag.set('task.replay.again', new Map([[0, 11n]]))
    expect((await open()).plan.group).toBe('task.replay.again.1000')
  })

  test('a plan that is damaged is no plan', async () => {
    await open()
    await writeFile(plans.fileOf('again'), '{"asked":')
    await expect(open()).rejects.toThrow(ReplayRefused)
  })
})
