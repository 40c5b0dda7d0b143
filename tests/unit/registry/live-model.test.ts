import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { createLiveModelWorld } from '../../support/live-model-world.ts'
import { sampleArtefact, sampleRun } from '../../support/sample-artefact.ts'

const soon = (assertion: () => void) => eventually(assertion, { everyMs: 1, timeoutMs: 5000 })

describe('the live model', () => {
  let world: ReturnType<typeof createLiveModelWorld>

  beforeEach(() => {
    world = createLiveModelWorld()
  })
  afterEach(() => world.stop())

  test('has no model before one is promoted, and says so', async () => {
    const live = world.create()
    await live.start()
    expect(live.current()).toBeNull()
    expect(await live.refresh('asked')).toEqual({ status: 'unchanged', version: null })
    await world.store.addVersion(sampleArtefact(0.1), sampleRun())
    expect(await live.refresh('asked')).toEqual({ status: 'unchanged', version: null })
    expect(world.signal.acks.size).toBe(0)
  })

  test('starts though the store cannot be read, and recovers', async () => {
    await world.promote(0.1)
    let broken = true
    const live = world.create(
      { pollMs: 1 },
      {
        readAliases: async () => {
          if (broken) throw Object.assign(new Error('input/output error'), { code: 'EIO' })
          return world.store.readAliases()
        },
      },
    )
    await live.start()
    expect(live.current()).toBeNull()
    await expect(live.refresh('asked')).rejects.toThrow('input/output error')
    broken = false
    await soon(() => expect(live.current()?.version).toBe('1'))
  })

  test('what a batch took stays as it is while the next model comes', async () => {
    await world.promote(0.1)
    const live = world.create()
    await live.start()
    const taken = live.current()!
    await world.promote(0.2)
    expect(await live.refresh('asked')).toMatchObject({ status: 'swapped', version: '2', previous: '1' })
    expect(taken).toMatchObject({ version: '1', epoch: 1, loadedAt: 42 })
    expect(live.current()).toMatchObject({ version: '2', epoch: 2, loadedAt: 42 })
    expect(live.current()!.scorer).not.toBe(taken.scorer)
    expect(world.swaps).toMatchObject([
      { version: '1', previous: null, epoch: 1, reason: 'start' },
      { version: '2', previous: '1', epoch: 2, reason: 'asked' },
    ])
    expect(world.signal.acks.get('w1')).toEqual({
      instance: 'w1',
      role: 'score',
      version: '2',
      epoch: 2,
      flippedAt: 42,
    })
  })

  test('a move of another alias loads nothing, and is acknowledged', async () => {
    const version = await world.promote(0.1)
    const live = world.create()
    await live.start()
    const before = live.current()
    await world.store.setAlias({ alias: 'staging', version, actor: 'tester', reason: 'because', at: 0 }, 1)
    expect(await live.refresh('asked')).toEqual({ status: 'unchanged', version: '1' })
    expect(live.current()).toBe(before)
    expect(world.reads.versions).toBe(1)
    expect(world.signal.acks.get('w1')).toMatchObject({ version: '1', epoch: 2 })
  })

  test('goes back to the version before without loading it', async () => {
    await world.promote(0.1)
    const live = world.create()
    await live.start()
    const { scorer } = live.current()!
    await world.promote(0.2)
    await live.refresh('asked')
    world.store.binaries.clear()
    await world.promoteVersion('1')
    expect(await live.refresh('asked')).toMatchObject({ status: 'swapped', version: '1', previous: '2' })
    expect(live.current()?.scorer).toBe(scorer)
    expect(world.reads.versions).toBe(2)
  })

  test('finds a promotion whose announcement never reached Redis, and announces it', async () => {
    await world.promote(0.1)
    const live = world.create({ pollMs: 1, storeEveryPolls: 5 })
    await live.start()
    await soon(() => expect(world.signal.held.epoch).toBe(1))
    await world.promote(0.2)
    await soon(() => expect(live.current()?.version).toBe('2'))
    await soon(() => expect(world.signal.held.epoch).toBe(2))
    expect(world.stale).toEqual([])
  })

  test('reads the store rarely while Redis names the epoch that it follows', async () => {
    await world.promote(0.1)
    let polls = 0
    const live = world.create({
      pollMs: 1,
      storeEveryPolls: 10,
      signal: {
        ...world.signal,
        readEpoch: async () => {
          polls += 1
          return 1
        },
      },
    })
    await live.start()
    await soon(() => expect(polls).toBeGreaterThan(40))
    expect(world.reads.aliases).toBeLessThanOrEqual(1 + polls / 10)
    expect(live.current()?.version).toBe('1')
  })

  test('an older store raises an alarm once and is not followed until it is ahead again', async () => {
    await world.promote(0.1)
    await world.promote(0.2)
    await world.promote(0.3)
    let set: { epoch: number; version: string } | null = null
    const live = world.create(
      {},
      {
        readAliases: async () => {
          const state = await world.store.readAliases()
          return set === null
            ? state
            : { epoch: set.epoch, aliases: { production: set.version }, shadows: [], history: [] }
        },
      },
    )
    await live.start()
    set = { epoch: 2, version: '2' }
    for (let look = 0; look < 3; look += 1) {
      expect(await live.refresh('asked')).toEqual({ status: 'unchanged', version: '3' })
    }
    expect(world.stale).toEqual([{ source: 'store', epoch: 2, seen: 3 }])
    set = { epoch: 4, version: '1' }
    expect(await live.refresh('asked')).toMatchObject({ status: 'swapped', version: '1' })
  })

  test('a Redis that is only behind is brought up to date without an alarm', async () => {
    await world.promote(0.1)
    await world.promote(0.2)
    world.signal.held.epoch = 1
    const live = world.create({ pollMs: 1 })
    await live.start()
    await soon(() => expect(world.signal.held.epoch).toBe(2))
    expect(world.stale).toEqual([])
    expect(live.current()?.version).toBe('2')
  })

  test('news during a load lead to another look', async () => {
    await world.promote(0.1)
    const gate = Promise.withResolvers<void>()
    const live = world.create(
      {},
      {
        readVersion: async (version) => {
          if (version === '1') await gate.promise
          return world.store.readVersion(version)
        },
      },
    )
    const started = live.start()
    await soon(() => expect(live.current()).toBeNull())
    await world.promote(0.2)
    world.signal.news()
    gate.resolve()
    await started
    await soon(() => expect(live.current()?.version).toBe('2'))
    expect(world.swaps.map(({ version }) => version)).toEqual(['1', '2'])
  })

  test('stop waits for what runs, and then nothing more happens', async () => {
    await world.promote(0.1)
    const live = world.create({ pollMs: 1 })
    await live.start()
    await live.stop()
    // Another that polls as often shows when enough time has passed.
    const other = world.create({ pollMs: 1, instanceId: 'w2', store: world.store })
    await other.start()
    const before = { ...world.reads }
    world.signal.acks.clear()
    await world.promote(0.2)
    world.signal.news()
    await soon(() => expect(other.current()?.version).toBe('2'))
    await soon(() => expect(world.signal.acks.get('w2')).toMatchObject({ version: '2' }))
    expect(world.reads).toEqual(before)
    expect([...world.signal.acks.keys()]).toEqual(['w2'])
    expect(live.current()?.version).toBe('1')
  })
})
