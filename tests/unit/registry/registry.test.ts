import { beforeEach, describe, expect, test } from 'vitest'
import { createRegistry } from '../../../src/registry/registry.ts'
import {
  AliasContention,
  ArtefactCorrupt,
  NothingToRollBack,
  VersionNotFound,
} from '../../../src/registry/registry-errors.ts'
import type { ArtefactStore, Registry } from '../../../src/registry/registry-types.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { createMemorySignal, type MemorySignal } from '../../support/memory-signal.ts'
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts'
import { sampleArtefact, sampleRun } from '../../support/sample-artefact.ts'

const logger = createLogger({ name: 'test', level: 'silent', instanceId: 'test' })
const by = { actor: 'tester', reason: 'because' }

describe('the registry', () => {
  let store: MemoryStore
  let signal: MemorySignal
  let registry: Registry

  const over = (changed: Partial<ArtefactStore>): Registry =>
    createRegistry({ store: { ...store, ...changed }, signal, now: () => 42, logger })
  const promote = (version: string, expectedEpoch?: number) =>
    registry.promote({ alias: 'production', version, ...by, ...(expectedEpoch === undefined ? {} : { expectedEpoch }) })

  beforeEach(async () => {
    store = createMemoryStore()
    signal = createMemorySignal()
    registry = over({})
    for (const probability of [0.1, 0.2, 0.3]) await store.addVersion(sampleArtefact(probability), sampleRun())
  })

  test('writes the truth and then announces just that', async () => {
    const result = await promote('1')
    expect(result).toMatchObject({ status: 'set', state: { epoch: 1, aliases: { production: '1' } } })
    expect(result.state.history).toEqual([
      { alias: 'production', version: '1', previous: null, epoch: 1, at: 42, ...by },
    ])
    expect(await store.readAliases()).toEqual(result.state)
    expect(signal.announced).toEqual([result.state])
  })

  test('a promotion stands when it cannot be announced', async () => {
    signal.held.down = true
    expect((await promote('1')).status).toBe('set')
    expect((await store.readAliases()).aliases.production).toBe('1')
  })

  test('promotes nothing that does not exist or is damaged', async () => {
    await expect(promote('9')).rejects.toThrow(VersionNotFound)
    await store.damageManifest('2')
    await expect(promote('2')).rejects.toThrow(ArtefactCorrupt)
    expect((await store.readAliases()).epoch).toBe(0)
    expect(signal.announced).toEqual([])
  })

  test('a shadow joins and leaves once, and is announced each time', async () => {
    await promote('1')
    const added = await registry.changeShadow({ change: 'added', version: '2', ...by })
    expect(added).toMatchObject({ status: 'set', state: { epoch: 2, shadows: ['2'], aliases: { production: '1' } } })
    expect(added.state.history.at(-1)).toEqual({
      ...{ alias: 'shadow', change: 'added', version: '2', previous: null, epoch: 2, at: 42, ...by },
    })
    expect((await registry.changeShadow({ change: 'added', version: '2', ...by })).status).toBe('unchanged')
    expect((await registry.changeShadow({ change: 'removed', version: '3', ...by })).status).toBe('unchanged')
    const removed = await registry.changeShadow({ change: 'removed', version: '2', ...by })
    expect(removed).toMatchObject({ status: 'set', state: { epoch: 3, shadows: [] } })
    expect(signal.announced.map(({ epoch }) => epoch)).toEqual([1, 2, 3])
  })

  test('a damaged version becomes no shadow, and one that was damaged later can leave', async () => {
    await registry.changeShadow({ change: 'added', version: '1', ...by })
    await store.damageManifest('1')
    await store.damageManifest('2')
    await expect(registry.changeShadow({ change: 'added', version: '2', ...by })).rejects.toThrow(ArtefactCorrupt)
    await expect(registry.changeShadow({ change: 'added', version: '9', ...by })).rejects.toThrow(VersionNotFound)
    expect((await registry.changeShadow({ change: 'removed', version: '1', ...by })).state.shadows).toEqual([])
  })

  test('a shadow that lost the round to another change tries again on what it left', async () => {
    let lost = 0
    const contended = over({
      setShadow: async (change, epoch) => {
        if (lost++ < 3) await store.setAlias({ alias: 'staging', version: '1', ...by, at: 1 }, epoch)
        return store.setShadow(change, epoch)
      },
    })
    const result = await contended.changeShadow({ change: 'added', version: '2', ...by })
    expect(result).toMatchObject({ status: 'set', state: { epoch: 4, aliases: { staging: '1' }, shadows: ['2'] } })
  })

  test('a rollback does not mind shadows that came between', async () => {
    await promote('1')
    await promote('2')
    await registry.changeShadow({ change: 'added', version: '1', ...by })
    const { state } = await registry.rollback(by)
    expect(state).toMatchObject({ aliases: { production: '1' }, shadows: ['1'] })
  })

  test('a fenced promotion from an older epoch changes and announces nothing', async () => {
    await promote('1')
    const { epoch } = await store.readAliases()
    await promote('2')
    expect(await promote('3', epoch)).toEqual({ status: 'conflict', state: await store.readAliases() })
    expect((await store.readAliases()).aliases.production).toBe('2')
    expect(signal.announced).toHaveLength(2)
    expect((await promote('3', epoch + 1)).status).toBe('set')
  })

  test('an unfenced promotion tries again until it is its turn', async () => {
    let others = 3
    const busy = over({
      setAlias: async (change, expectedEpoch) => {
        if (others > 0) {
          others -= 1
          await store.setAlias({ ...change, alias: 'staging' }, expectedEpoch)
        }
        return store.setAlias(change, expectedEpoch)
      },
    })
    const result = await busy.promote({ alias: 'production', version: '2', ...by })
    expect(result).toMatchObject({ status: 'set', state: { epoch: 4, aliases: { production: '2', staging: '2' } } })
  })

  test('gives up when it is never its turn', async () => {
    const state = { epoch: 7, aliases: {}, shadows: [], history: [] }
    const stuck = over({ setAlias: async () => ({ status: 'conflict', state }) })
    await expect(stuck.promote({ alias: 'production', version: '2', ...by })).rejects.toThrow(AliasContention)
  })

  test('rolls back step by step and says so in the history', async () => {
    for (const version of ['1', '2', '3']) await promote(version)
    expect((await registry.rollback(by)).state.aliases.production).toBe('2')
    const result = await registry.rollback(by)
    expect(result.state.aliases.production).toBe('1')
    expect(result.state.history.slice(-2)).toMatchObject([
      { version: '2', previous: '3', undoes: 3, ...by },
      { version: '1', previous: '2', undoes: 2, ...by },
    ])
    expect(signal.announced.at(-1)).toEqual(result.state)
    await expect(registry.rollback(by)).rejects.toThrow(NothingToRollBack)
  })

  test('does not roll back to a damaged version', async () => {
    for (const version of ['1', '2']) await promote(version)
    await store.damageManifest('1')
    await expect(registry.rollback(by)).rejects.toThrow(ArtefactCorrupt)
    expect((await store.readAliases()).aliases.production).toBe('2')
  })

  /** Somebody moves an alias between the rollback's look and its write. */
  const interrupted = (alias: 'production' | 'staging') => {
    let done = false
    return over({
      setAlias: async (change, expectedEpoch) => {
        if (!done) {
          done = true
          await store.setAlias({ ...by, alias, version: '3', at: 0 }, expectedEpoch)
        }
        return store.setAlias(change, expectedEpoch)
      },
    })
  }

  test('a rollback goes on when another alias moved meanwhile', async () => {
    for (const version of ['1', '2']) await promote(version)
    const result = await interrupted('staging').rollback(by)
    expect(result).toMatchObject({ status: 'set', state: { aliases: { production: '1', staging: '3' } } })
  })

  test('a rollback does not take back a promotion that it did not see', async () => {
    for (const version of ['1', '2']) await promote(version)
    const result = await interrupted('production').rollback(by)
    expect(result).toMatchObject({ status: 'conflict', state: { aliases: { production: '3' } } })
    expect((await store.readAliases()).aliases.production).toBe('3')
  })
})
