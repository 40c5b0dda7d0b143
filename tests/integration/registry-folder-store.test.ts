import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/registry/digest.ts'
import { createFolderStore } from '../../src/registry/folder-store.ts'
import { AliasesCorrupt, ArtefactCorrupt } from '../../src/registry/registry-errors.ts'
import type { ArtefactStore } from '../../src/registry/registry-types.ts'
import { folderStoreUnderTest } from '../support/folder-store-under-test.ts'
import { sampleArtefact, sampleRun } from '../support/sample-artefact.ts'

const change = (version: string) => ({
  alias: 'production' as const,
  version,
  actor: 'tester',
  reason: 'because',
  at: 1000,
})

describe('what a folder store leaves on the disk', () => {
  let under: Awaited<ReturnType<typeof folderStoreUnderTest>>
  let store: ArtefactStore

  beforeEach(async () => {
    under = await folderStoreUnderTest()
    store = under.open()
  })
  afterEach(() => under.close())

  const add = (probability = 0.5): Promise<string> => store.addVersion(sampleArtefact(probability), sampleRun())
  const at = (...parts: string[]): string => join(under.root, ...parts)

  test('looking at a store that is not there makes no folder', async () => {
    await store.readAliases()
    await store.listVersions()
    await expect(readdir(under.root)).rejects.toThrow('ENOENT')
  })

  test('the same model gives the same manifest bytes and one binary', async () => {
    await store.addVersion(sampleArtefact(0.5), sampleRun(1))
    await store.addVersion(sampleArtefact(0.5), sampleRun(2))
    const [first, second] = await Promise.all(['1', '2'].map((v) => readFile(at('versions', v, 'manifest.json'))))
    expect(second!.equals(first!)).toBe(true)
    expect(await readdir(at('blobs'))).toEqual([`${sampleArtefact(0.5).manifest.binary.sha256}.bin`])
  })

  test('SHA256SUMS names every file of a version with its digest, relative to it', async () => {
    await add()
    const lines = (await readFile(at('versions', '1', 'SHA256SUMS'), 'utf8')).trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    for (const line of lines) {
      const [digest, file] = line.split('  ') as [string, string]
      expect(sha256Hex(await readFile(at('versions', '1', file)))).toBe(digest)
    }
  })

  test('nothing temporary remains of finished work', async () => {
    await store.setAlias(change(await add()), 0)
    await store.setAlias(change('1'), 0)
    expect(await readdir(at('tmp'))).toEqual([])
  })

  test('unfinished work of a killed process is ignored, and removed once it is old', async () => {
    await add()
    const nowMs = Date.now()
    for (const [name, ageMs] of [['old', 3_600_001] as const, ['young', 60_000] as const]) {
      await mkdir(at('tmp', name))
      await writeFile(at('tmp', name, 'manifest.json'), '{"half":')
      const written = new Date(nowMs - ageMs)
      await utimes(at('tmp', name), written, written)
    }
    expect(await store.listVersions()).toHaveLength(1)
    const later = createFolderStore({ root: under.root, now: () => nowMs })
    expect(await later.addVersion(sampleArtefact(0.1), sampleRun())).toBe('2')
    expect(await readdir(at('tmp'))).toEqual(['young'])
  })

  test('names that are not numbers are no versions and no epochs', async () => {
    await store.setAlias(change(await add()), 0)
    for (const name of ['x', '01', '2.bak', '.3']) await mkdir(at('versions', name))
    for (const name of ['9', '9.json.bak', '09.json', 'x.json']) await writeFile(at('aliases', name), '{}')
    expect(await store.listVersions()).toHaveLength(1)
    expect((await store.readAliases()).epoch).toBe(1)
    expect(await add(0.1)).toBe('2')
  })

  test('a damaged newest epoch is an error, never an older epoch', async () => {
    await add(0.1)
    await add(0.2)
    await store.setAlias(change('1'), 0)
    await store.setAlias(change('2'), 1)
    for (const text of [
      '',
      '{"epoch":2',
      '{}',
      '{"epoch":3}',
      '{"epoch":2,"aliases":{"production":"../1"},"change":{}}',
    ]) {
      await writeFile(at('aliases', '2.json'), text)
      await expect(under.open().readAliases()).rejects.toThrow(AliasesCorrupt)
      await expect(under.open().setAlias(change('1'), 2)).rejects.toThrow(AliasesCorrupt)
    }
  })

  test('an epoch that was written before there were shadows has none, and the next one may', async () => {
    await add(0.1)
    await store.setAlias(change('1'), 0)
    const { shadows, ...old } = JSON.parse(await readFile(at('aliases', '1.json'), 'utf8'))
    expect(shadows).toEqual([])
    await writeFile(at('aliases', '1.json'), JSON.stringify(old))
    const client = under.open()
    expect(await client.readAliases()).toMatchObject({ epoch: 1, aliases: { production: '1' }, shadows: [] })
    await client.setShadow({ change: 'added', version: '1', actor: 'tester', reason: 'because', at: 1 }, 1)
    expect(await under.open().readAliases()).toMatchObject({ epoch: 2, shadows: ['1'] })
  })

  test('an epoch whose shadows are no versions, or not those of its change, is damaged', async () => {
    await add(0.1)
    await store.setShadow({ change: 'added', version: '1', actor: 'tester', reason: 'because', at: 1 }, 0)
    const good = JSON.parse(await readFile(at('aliases', '1.json'), 'utf8'))
    for (const shadows of [['../1'], [], [1], 'all', null]) {
      await writeFile(at('aliases', '1.json'), JSON.stringify({ ...good, shadows }))
      await expect(under.open().readAliases()).rejects.toThrow(AliasesCorrupt)
    }
  })

  test('a damaged old epoch costs its line of the history and nothing else', async () => {
    await add(0.1)
    await add(0.2)
    await store.setAlias(change('1'), 0)
    await store.setAlias(change('2'), 1)
    await writeFile(at('aliases', '1.json'), '{')
    const state = await under.open().readAliases()
    expect(state).toMatchObject({ epoch: 2, aliases: { production: '2' } })
    expect(state.history.map(({ epoch }) => epoch)).toEqual([2])
  })

  test('a store that is set back to an older copy is read as it is now', async () => {
    await add(0.1)
    await add(0.2)
    await store.setAlias(change('1'), 0)
    await store.setAlias(change('2'), 1)
    expect((await store.readAliases()).epoch).toBe(2)
    await rm(at('aliases', '2.json'))
    expect(await store.readAliases()).toMatchObject({ epoch: 1, aliases: { production: '1' } })
    await store.setAlias({ ...change('2'), actor: 'another' }, 1)
    expect((await store.readAliases()).history.at(-1)).toMatchObject({ epoch: 2, actor: 'another' })
  })

  describe('links that lead out of the store', () => {
    let outside: string
    beforeEach(async () => {
      await add(0.1)
      outside = await mkdtemp(join(tmpdir(), 'driftline-outside-'))
    })
    afterEach(() => rm(outside, { recursive: true, force: true }))

    test.each([
      ['the version', ['versions', '1']],
      ['its manifest', ['versions', '1', 'manifest.json']],
      ['its binary', ['blobs', `${sampleArtefact(0.1).manifest.binary.sha256}.bin`]],
    ])('%s is refused', async (_what, path) => {
      const moved = join(outside, 'moved')
      await rename(at(...path), moved)
      await symlink(moved, at(...path))
      await expect(under.open().readVersion('1')).rejects.toThrow(ArtefactCorrupt)
    })
  })

  test.each([
    ['another format', { format: 3 }],
    ['a digest that is a path', { binary: { sha256: '../../../../etc/passwd', bytes: 8, sections: [] } }],
    ['a size that is no size', { binary: { sha256: 'a'.repeat(64), bytes: -1, sections: [] } }],
    ['no binary', { binary: null }],
  ])('a manifest with %s is refused, though its digest fits', async (_what, wrong) => {
    await add()
    const manifest = JSON.stringify({ ...sampleArtefact(0.5).manifest, ...wrong })
    await writeFile(at('versions', '1', 'manifest.json'), manifest)
    await writeFile(at('versions', '1', 'SHA256SUMS'), `${sha256Hex(manifest)}  manifest.json\n`)
    await expect(store.readVersion('1')).rejects.toThrow(ArtefactCorrupt)
  })

  test.each(['manifest.json', 'SHA256SUMS'])('a version without its %s is damaged, not missing', async (name) => {
    await add()
    await rm(at('versions', '1', name))
    await expect(store.readVersion('1')).rejects.toThrow(ArtefactCorrupt)
  })

  test('an error of the disk is not taken for damage', async () => {
    await add()
    const path = at('versions', '1', 'manifest.json')
    await rm(path)
    // Reading a folder as a file fails with EISDIR, for root too.
    await mkdir(path)
    await expect(store.readVersion('1')).rejects.not.toThrow(ArtefactCorrupt)
  })
})
