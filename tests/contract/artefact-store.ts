import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ArtefactCorrupt, VersionNotFound } from '../../src/registry/registry-errors.ts'
import type { AliasName, ArtefactStore } from '../../src/registry/registry-types.ts'
import { sampleArtefact, sampleRun } from '../support/sample-artefact.ts'

/** An empty store that a test may fill and damage. */
export type ArtefactStoreUnderTest = {
  /** A further client of the same store, as another process would have it. */
  open: () => ArtefactStore
  damageBinary: (version: string, how: 'flip a bit' | 'cut short' | 'remove') => Promise<void>
  /** Changes a number in the manifest, so that it stays readable. */
  damageManifest: (version: string) => Promise<void>
  close: () => Promise<void>
}

const change = (version: string, alias: AliasName = 'production') => ({
  alias,
  version,
  actor: 'tester',
  reason: 'because',
  at: 1000,
})

/** What every artefact store has to keep. */
export const describeArtefactStore = (name: string, create: () => Promise<ArtefactStoreUnderTest>): void => {
  describe(`artefact store: ${name}`, () => {
    let under: ArtefactStoreUnderTest
    let store: ArtefactStore

    beforeEach(async () => {
      under = await create()
      store = under.open()
    })
    afterEach(() => under.close())

    const add = (probability = 0.5): Promise<string> => store.addVersion(sampleArtefact(probability), sampleRun())

    /** Moves an alias as often as it takes. */
    const moveUntilSet = async (client: ArtefactStore, version: string): Promise<number> => {
      for (;;) {
        const { epoch } = await client.readAliases()
        const result = await client.setAlias(change(version), epoch)
        if (result.status === 'set') return result.state.epoch
      }
    }

    test('is empty at first, and looking does not change that', async () => {
      expect(await store.listVersions()).toEqual([])
      expect(await store.readAliases()).toEqual({ epoch: 0, aliases: {}, shadows: [], history: [] })
      await expect(store.readVersion('1')).rejects.toThrow(VersionNotFound)
    })

    test('gives back what was added, to every client', async () => {
      const artefact = sampleArtefact(0.25, 1000)
      const version = await store.addVersion(artefact, sampleRun(7))
      expect(version).toBe('1')
      for (const client of [store, under.open()]) {
        expect(await client.readVersion(version)).toEqual(artefact)
        expect(await client.listVersions()).toEqual([{ version, manifest: artefact.manifest, run: sampleRun(7) }])
      }
    })

    test('gives the binary at an address that typed arrays can be laid over', async () => {
      const { binary } = await store.readVersion(await add(0.75))
      expect(binary.byteOffset % 8).toBe(0)
      expect(new Float64Array(binary.buffer, binary.byteOffset, 1)[0]).toBe(0.75)
    })

    test('counts versions up and lists them oldest first, beyond nine too', async () => {
      const expected = Array.from({ length: 11 }, (_, at) => String(at + 1))
      for (const version of expected) expect(await add(Number(version) / 20)).toBe(version)
      expect((await store.listVersions()).map(({ version }) => version)).toEqual(expected)
    })

    test('keeps the same model twice as two versions', async () => {
      expect([await add(), await add()]).toEqual(['1', '2'])
      expect(await store.readVersion('2')).toEqual(await store.readVersion('1'))
    })

    test('refuses a model whose manifest does not fit its binary, and keeps nothing of it', async () => {
      const { manifest } = sampleArtefact(0.1)
      const { binary } = sampleArtefact(0.2)
      await expect(store.addVersion({ manifest, binary }, sampleRun())).rejects.toThrow(ArtefactCorrupt)
      expect(await store.listVersions()).toEqual([])
    })

    test.each(['0', '01', '2', '-1', '+1', '1.0', '1e0', ' 1', '', '.', '..', '../1', '..%2f1', '1/../1', '1\0'])(
      'knows no version %j',
      async (version) => {
        await add()
        await expect(store.readVersion(version)).rejects.toThrow(VersionNotFound)
        await expect(store.setAlias(change(version), 0)).rejects.toThrow(VersionNotFound)
        expect((await store.readAliases()).epoch).toBe(0)
      },
    )

    test.each(['flip a bit', 'cut short', 'remove'] as const)('refuses to read a binary after: %s', async (how) => {
      await add(0.1)
      await add(0.2)
      await under.damageBinary('1', how)
      await expect(under.open().readVersion('1')).rejects.toThrow(ArtefactCorrupt)
      expect((await store.readVersion('2')).manifest).toEqual(sampleArtefact(0.2).manifest)
    })

    test('refuses to read a changed manifest, and lists the other versions', async () => {
      await add(0.1)
      await add(0.2)
      await under.damageManifest('1')
      await expect(under.open().readVersion('1')).rejects.toThrow(ArtefactCorrupt)
      expect((await under.open().listVersions()).map(({ version }) => version)).toEqual(['2'])
    })

    test('adding a model again mends its damaged binary', async () => {
      await add(0.1)
      await under.damageBinary('1', 'flip a bit')
      await add(0.1)
      expect(await store.readVersion('2')).toEqual(sampleArtefact(0.1))
    })

    test('moves aliases, one epoch each, and remembers how', async () => {
      await add(0.1)
      await add(0.2)
      expect((await store.setAlias(change('1'), 0)).status).toBe('set')
      expect((await store.setAlias(change('2', 'staging'), 1)).status).toBe('set')
      const result = await store.setAlias({ ...change('2'), undoes: 1 }, 2)
      const expected = {
        epoch: 3,
        aliases: { production: '2', staging: '2' },
        shadows: [],
        history: [
          { ...change('1'), epoch: 1, previous: null },
          { ...change('2', 'staging'), epoch: 2, previous: null },
          { ...change('2'), epoch: 3, previous: '1', undoes: 1 },
        ],
      }
      expect(result).toEqual({ status: 'set', state: expected })
      expect(await store.readAliases()).toEqual(expected)
      expect(await under.open().readAliases()).toEqual(expected)
    })

    test.each([-1, 0, 2, 5])('changes nothing when %d was expected of epoch 1', async (expectedEpoch) => {
      await add(0.1)
      await add(0.2)
      await store.setAlias(change('1'), 0)
      const before = await store.readAliases()
      expect(await store.setAlias(change('2'), expectedEpoch)).toEqual({ status: 'conflict', state: before })
      expect(await under.open().readAliases()).toEqual(before)
    })

    test('adds and removes shadows, one epoch each, beside the aliases', async () => {
      for (const probability of [0.1, 0.2, 0.3]) await add(probability)
      const by = { actor: 'tester', reason: 'because', at: 1000 }
      await store.setAlias(change('1'), 0)
      await store.setShadow({ change: 'added', version: '3', ...by }, 1)
      await store.setShadow({ change: 'added', version: '2', ...by }, 2)
      const result = await store.setShadow({ change: 'removed', version: '3', ...by }, 3)
      expect(result.status).toBe('set')
      const shadow = { alias: 'shadow', previous: null, ...by }
      const expected = {
        epoch: 4,
        aliases: { production: '1' },
        shadows: ['2'],
        history: [
          { ...change('1'), epoch: 1, previous: null },
          { ...shadow, change: 'added', version: '3', epoch: 2 },
          { ...shadow, change: 'added', version: '2', epoch: 3 },
          { ...shadow, change: 'removed', version: '3', epoch: 4 },
        ],
      }
      expect(result.state).toEqual(expected)
      for (const client of [store, under.open()]) expect(await client.readAliases()).toEqual(expected)
      // A move of an alias leaves the shadows alone.
      await store.setAlias(change('2'), 4)
      expect(await under.open().readAliases()).toMatchObject({ aliases: { production: '2' }, shadows: ['2'] })
    })

    test('no shadow without its version, and none where another epoch was expected', async () => {
      await add(0.1)
      const by = { actor: 'tester', reason: 'because', at: 1000 }
      await expect(store.setShadow({ change: 'added', version: '2', ...by }, 0)).rejects.toThrow(VersionNotFound)
      expect((await store.setShadow({ change: 'added', version: '1', ...by }, 1)).status).toBe('conflict')
      expect(await store.readAliases()).toEqual({ epoch: 0, aliases: {}, shadows: [], history: [] })
    })

    test('a shadow and an alias that change at once are both kept', async () => {
      await add(0.1)
      const by = { actor: 'tester', reason: 'because', at: 1000 }
      const results = await Promise.all([
        under.open().setAlias(change('1'), 0),
        under.open().setShadow({ change: 'added', version: '1', ...by }, 0),
      ])
      expect(results.map(({ status }) => status).sort()).toEqual(['conflict', 'set'])
      const { epoch } = await store.readAliases()
      if (results[0].status === 'conflict') await store.setAlias(change('1'), epoch)
      else await store.setShadow({ change: 'added', version: '1', ...by }, epoch)
      expect(await under.open().readAliases()).toMatchObject({
        epoch: 2,
        aliases: { production: '1' },
        shadows: ['1'],
      })
    })

    test('hands out states that are nobody else’s to change', async () => {
      await store.setAlias(change(await add()), 0)
      const state = await store.readAliases()
      state.aliases.production = '9'
      state.history.length = 0
      state.shadows.push('9')
      const again = await store.readAliases()
      expect(again.aliases).toEqual({ production: '1' })
      expect(again.shadows).toEqual([])
      expect(again.history).toHaveLength(1)
    })

    test('clients that add at once get a version each', async () => {
      const added = await Promise.all(
        Array.from({ length: 12 }, async (_, at) => {
          const artefact = sampleArtefact(at / 20)
          return { version: await under.open().addVersion(artefact, sampleRun()), artefact }
        }),
      )
      const versions = added.map(({ version }) => Number(version)).sort((a, b) => a - b)
      expect(versions).toEqual(Array.from({ length: 12 }, (_, at) => at + 1))
      for (const { version, artefact } of added) expect(await store.readVersion(version)).toEqual(artefact)
    })

    test('of clients that expect the same epoch one wins', async () => {
      for (let at = 0; at < 8; at += 1) await add(at / 10)
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, at) => under.open().setAlias(change(String(at + 1)), 0)),
      )
      const winners = results.filter(({ status }) => status === 'set')
      expect(winners).toHaveLength(1)
      const state = await store.readAliases()
      expect(state).toEqual(winners[0]!.state)
      for (const result of results) expect(result.state).toEqual(state)
    })

    test('loses no change when clients move an alias at once', async () => {
      const versions = [await add(0.1), await add(0.2), await add(0.3)]
      const epochs = await Promise.all(
        versions.map(async (version) => {
          const client = under.open()
          const won: number[] = []
          for (let round = 0; round < 5; round += 1) won.push(await moveUntilSet(client, version))
          return won
        }),
      )
      const { epoch, history } = await store.readAliases()
      expect(epoch).toBe(15)
      expect(epochs.flat().sort((a, b) => a - b)).toEqual(history.map((entry) => entry.epoch))
      for (const [at, entry] of history.entries()) {
        expect(entry.epoch).toBe(at + 1)
        expect(entry.previous).toBe(history[at - 1]?.version ?? null)
      }
    })
  })
}
