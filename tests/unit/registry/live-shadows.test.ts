import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLiveShadows, type LiveShadowsOptions, type ShadowsNotice } from '../../../src/registry/live-shadows.ts'
import type { AliasState, ArtefactStore, ShadowChange } from '../../../src/registry/registry-types.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { eventually } from '../../support/eventually.ts'
import { neverMs } from '../../support/live-model-world.ts'
import { createMemorySignal, type MemorySignal } from '../../support/memory-signal.ts'
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts'
import { loadSample, sampleArtefact, sampleRun, verifySample } from '../../support/sample-artefact.ts'

const soon = (assertion: () => void) => eventually(assertion, { everyMs: 1, timeoutMs: 5000 })

describe('the live shadows', () => {
  let store: MemoryStore
  let signal: MemorySignal
  let notices: ShadowsNotice[]
  let reads: string[]
  const running: { stop: () => Promise<void> }[] = []

  const create = (changed: Partial<LiveShadowsOptions> = {}, changedStore: Partial<ArtefactStore> = {}) => {
    const shadows = createLiveShadows({
      store: {
        ...store,
        readVersion: (version) => {
          reads.push(version)
          return store.readVersion(version)
        },
        ...changedStore,
      },
      signal,
      loadScorer: loadSample,
      verifyGolden: verifySample,
      pollMs: neverMs,
      onChange: (notice) => notices.push(notice),
      logger: createLogger({ name: 'test', level: 'silent', instanceId: 'test' }),
      now: () => 42,
      ...changed,
    })
    running.push(shadows)
    return shadows
  }
  const change = async (version: string, what: ShadowChange['change'] = 'added'): Promise<void> => {
    const { epoch } = await store.readAliases()
    await store.setShadow({ change: what, version, actor: 'tester', reason: 'because', at: 0 }, epoch)
  }
  const versionsOf = (shadows: ReturnType<typeof create>) => shadows.current().map(({ version }) => version)

  beforeEach(async () => {
    store = createMemoryStore()
    signal = createMemorySignal()
    notices = []
    reads = []
    for (const probability of [0.1, 0.2, 0.3]) await store.addVersion(sampleArtefact(probability), sampleRun())
  })
  afterEach(async () => {
    for (const shadows of running.splice(0)) await shadows.stop()
  })

  test('are none where none were added, and nothing is loaded', async () => {
    const shadows = create()
    await shadows.start()
    expect(shadows.current()).toEqual([])
    expect([reads, notices]).toEqual([[], []])
  })

  test('join and leave while they are followed, each loaded once', async () => {
    await change('2')
    const shadows = create()
    await shadows.start()
    expect(versionsOf(shadows)).toEqual(['2'])
    const taken = shadows.current()
    await change('1')
    signal.news()
    await soon(() => expect(versionsOf(shadows)).toEqual(['2', '1']))
    // What a batch took stays as it is.
    expect(taken.map(({ version }) => version)).toEqual(['2'])
    expect(shadows.current()[0]).toBe(taken[0])
    await change('2', 'removed')
    await shadows.refresh()
    expect(versionsOf(shadows)).toEqual(['1'])
    expect(reads).toEqual(['2', '1'])
    expect(notices.map(({ epoch, active }) => [epoch, active])).toEqual([
      [1, ['2']],
      [2, ['2', '1']],
      [3, ['1']],
    ])
  })

  test('a poll finds what no message told', async () => {
    const shadows = create({ pollMs: 1 })
    await shadows.start()
    await change('3')
    await soon(() => expect(versionsOf(shadows)).toEqual(['3']))
  })

  test('one that cannot be loaded is left out, told once, and taken when it was mended', async () => {
    await change('1')
    await change('2')
    await store.damageManifest('1')
    let damaged = true
    const mended: Partial<ArtefactStore> = {
      readVersion: async (version) => {
        reads.push(version)
        if (version === '1' && !damaged) return sampleArtefact(0.1)
        return store.readVersion(version)
      },
    }
    const shadows = create({ pollMs: 1, retryEveryPolls: 3 }, mended)
    await shadows.start()
    expect(versionsOf(shadows)).toEqual(['2'])
    expect(shadows.refused()).toMatchObject([{ version: '1', code: 'ARTEFACT_CORRUPT' }])
    await soon(() => expect(reads.filter((version) => version === '1').length).toBeGreaterThan(2))
    expect(notices).toHaveLength(1)
    damaged = false
    await soon(() => expect(versionsOf(shadows)).toEqual(['1', '2']))
    expect(shadows.refused()).toEqual([])
    expect(reads.filter((version) => version === '2')).toEqual(['2'])
  })

  test('a store that cannot be read, or was set back, leaves the shadows as they are', async () => {
    await change('1')
    let state: AliasState | 'broken' | null = null
    const shadows = create(
      { pollMs: 1 },
      {
        readAliases: async () => {
          if (state === 'broken') throw new Error('input/output error')
          return state ?? store.readAliases()
        },
      },
    )
    await shadows.start()
    state = 'broken'
    await expect(shadows.refresh()).rejects.toThrow('input/output error')
    expect(versionsOf(shadows)).toEqual(['1'])
    state = { epoch: 0, aliases: {}, shadows: [], history: [] }
    await shadows.refresh()
    expect(versionsOf(shadows)).toEqual(['1'])
    state = null
    await change('1', 'removed')
    await soon(() => expect(versionsOf(shadows)).toEqual([]))
  })
})
