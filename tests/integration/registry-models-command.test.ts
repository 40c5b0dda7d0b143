import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { modelsCommand } from '../../src/cli/commands/models.ts'
import { createFolderStore } from '../../src/registry/folder-store.ts'
import { ArtefactCorrupt, NothingToRollBack, VersionNotFound } from '../../src/registry/registry-errors.ts'
import type { ArtefactStore } from '../../src/registry/registry-types.ts'
import { sampleArtefact, sampleRun } from '../support/sample-artefact.ts'

const redisUrl = process.env['REDIS_URL']!

describe('driftline models', () => {
  let home: string
  let task: string
  let store: ArtefactStore
  let redis: Redis
  let errors: string[]

  /** Runs a verb and returns the lines that it printed. */
  const run = async (...args: string[]): Promise<string[]> => {
    const lines: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
    const error = vi.spyOn(console, 'error').mockImplementation((line: string) => void errors.push(line))
    const command = modelsCommand()
    for (const verb of [command, ...command.commands, ...command.commands.flatMap((inner) => inner.commands)])
      verb.exitOverride().configureOutput({ writeErr: () => undefined })
    try {
      await command.parseAsync([...args, '--config', join(home, 'task.yaml')], { from: 'user' })
      return lines
    } finally {
      log.mockRestore()
      error.mockRestore()
    }
  }
  const runJson = async (...args: string[]) => JSON.parse((await run(...args, '--json')).at(-1)!)

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'driftline-models-'))
    task = `t${randomUUID().replaceAll('-', '')}`
    const features = '[{ name: a }, { name: b }]'
    const candidates = '[{ name: plain, family: logistic }]'
    await writeFile(
      join(home, 'task.yaml'),
      `task: ${task}\nfeatures: ${features}\ntarget: { name: c, classes: [no, yes] }\n` +
        `dataset: { path: rows.csv }\ntraining: { candidates: ${candidates} }\n`,
    )
    vi.stubEnv('DRIFTLINE_HOME', home)
    vi.stubEnv('REDIS_URL', redisUrl)
    store = createFolderStore({ root: join(home, 'artefacts', task) })
    redis = new Redis(redisUrl)
    errors = []
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await redis.del(`driftline:${task}:epoch`, `driftline:${task}:aliases`)
    redis.disconnect()
    await rm(home, { recursive: true, force: true })
  })

  const add = (probability: number) => store.addVersion(sampleArtefact(probability), sampleRun(1000))

  test('list says what to do where there is nothing, and makes no folder', async () => {
    expect((await run('list')).join()).toContain('driftline train')
    expect(await runJson('list')).toEqual({ task, epoch: 0, aliases: {}, shadows: [], versions: [] })
    await expect(rm(join(home, 'artefacts'))).rejects.toThrow('ENOENT')
  })

  test('promote moves an alias, tells Redis and prints what changed', async () => {
    await add(0.1)
    await add(0.2)
    expect(await run('promote', '1', '--reason', 'first')).toEqual(['production is now version 1, epoch 1'])
    expect(await run('promote', '2', '--reason', 'better')).toEqual(['production is now version 2 (was 1), epoch 2'])
    expect(await redis.get(`driftline:${task}:epoch`)).toBe('2')
    const staged = await runJson('promote', '1', '--alias', 'staging', '--reason', 'to look at')
    expect(staged).toMatchObject({ task, alias: 'staging', version: '1', previous: null, epoch: 3, announced: true })
    expect(staged.actor).toMatch(/^cli/)

    expect(await runJson('list')).toMatchObject({
      epoch: 3,
      aliases: { production: '2', staging: '1' },
      versions: [
        { version: '1', aliases: ['staging'] },
        { version: '2', aliases: ['production'] },
      ],
    })
    const [table] = await run('list')
    expect(table!.split('\n').map((line) => line.split(/ +/).slice(0, 2))).toEqual([
      ['VERSION', 'ALIASES'],
      ['1', 'staging'],
      ['2', 'production'],
    ])
  })

  test('shadow adds, lists and removes, and every change is announced', async () => {
    for (const probability of [0.1, 0.2, 0.3]) await add(probability)
    await run('promote', '1', '--reason', 'first')
    expect(await run('shadow', 'add', '3', '--reason', 'deeper')).toEqual(['version 3 added, epoch 2; shadows: 3'])
    expect(await runJson('shadow', 'add', 'production', '--reason', 'itself')).toEqual({
      ...{ task, change: 'added', version: '1', epoch: 3, shadows: ['3', '1'], announced: true },
    })
    expect(await run('shadow', 'add', '3', '--reason', 'again')).toEqual([
      'version 3 is a shadow already; shadows: 3, 1',
    ])
    expect(await redis.get(`driftline:${task}:epoch`)).toBe('3')
    expect(JSON.parse((await redis.get(`driftline:${task}:aliases`))!)).toMatchObject({ shadows: ['3', '1'] })

    const { shadows } = await runJson('shadow', 'list')
    expect(shadows).toMatchObject([
      { version: '3', name: 'constant', reason: 'deeper' },
      { version: '1', reason: 'itself' },
    ])
    const [table] = await run('list')
    expect(table!.split('\n').map((line) => line.split(/ +/).slice(0, 2))).toEqual([
      ['VERSION', 'ALIASES'],
      ['1', 'production,shadow'],
      ['2', '-'],
      ['3', 'shadow'],
    ])
    expect(await runJson('list')).toMatchObject({
      shadows: ['3', '1'],
      versions: [{ shadow: true }, { shadow: false }, {}],
    })
    const [text] = await run('show', '3')
    expect(text).toMatch(/^2 +shadow added .*deeper$/m)

    expect(await run('shadow', 'remove', '3', '--reason', 'seen')).toEqual(['version 3 removed, epoch 4; shadows: 1'])
    await rm(join(home, 'artefacts', task, 'versions', '1'), { recursive: true })
    expect((await run('shadow', 'list')).join()).toContain('cannot be read')
    expect(await runJson('shadow', 'remove', '1', '--reason', 'gone')).toMatchObject({ epoch: 5, shadows: [] })
    expect(await run('shadow', 'remove', '1', '--reason', 'x')).toEqual(['version 1 is no shadow; no shadows are left'])
    expect((await run('shadow', 'list')).join()).toContain('models shadow add')
    await expect(run('shadow', 'add', '9', '--reason', 'x')).rejects.toThrow(VersionNotFound)
    await expect(run('shadow', 'add', '2')).rejects.toThrow('--reason')
  })

  test('rollback goes back a version at a time', async () => {
    for (const probability of [0.1, 0.2]) await run('promote', await add(probability), '--reason', 'next')
    expect(await runJson('rollback', '--reason', 'worse')).toMatchObject({
      version: '1',
      previous: '2',
      undoes: 2,
      epoch: 3,
    })
    await expect(run('rollback', '--reason', 'worse still')).rejects.toThrow(NothingToRollBack)
  })

  test('show tells all of a version, by number or alias', async () => {
    await add(0.1)
    await run('promote', '1', '--reason', 'the very first')
    for (const named of ['1', 'production']) {
      const shown = await runJson('show', named)
      expect(shown).toMatchObject({ task, version: '1', aliases: ['production'], run: sampleRun(1000) })
      expect(shown.manifest).toEqual(sampleArtefact(0.1).manifest)
      expect(shown.history).toMatchObject([{ epoch: 1, reason: 'the very first' }])
    }
    const [text] = await run('show', '1')
    expect(text).toContain('the very first')
    expect(text).toContain(sampleArtefact(0.1).manifest.binary.sha256)
  })

  test('what is not there or damaged is an error with its name', async () => {
    await expect(run('show', '1')).rejects.toThrow(VersionNotFound)
    await expect(run('show', 'production')).rejects.toThrow(VersionNotFound)
    await expect(run('promote', '../1', '--reason', 'x')).rejects.toThrow(VersionNotFound)
    await add(0.1)
    await rm(join(home, 'artefacts', task, 'versions', '1', 'manifest.json'))
    await expect(run('show', '1')).rejects.toThrow(ArtefactCorrupt)
    await expect(run('promote', '1', '--reason', 'x')).rejects.toThrow(ArtefactCorrupt)
    expect((await store.readAliases()).epoch).toBe(0)
  })

  test('a reason is asked for, and an alias has to be one', async () => {
    await add(0.1)
    await expect(run('promote', '1')).rejects.toThrow('--reason')
    await expect(run('rollback')).rejects.toThrow('--reason')
    await expect(run('promote', '1', '--alias', 'shadow', '--reason', 'x')).rejects.toThrow('staging')
    expect((await store.readAliases()).epoch).toBe(0)
  })

  test('a promotion without Redis stands, and says that nobody was told', async () => {
    await add(0.1)
    // A port that nothing listens on.
    vi.stubEnv('REDIS_URL', 'redis://127.0.0.1:1')
    expect(await runJson('promote', '1', '--reason', 'x')).toMatchObject({ version: '1', epoch: 1, announced: false })
    expect(errors.join()).toContain('not announced')
    expect((await store.readAliases()).aliases.production).toBe('1')
  })

  test('every verb has examples', () => {
    const withParents = (verb: Command, path: string): [Command, string][] =>
      verb.commands.length === 0
        ? [[verb, path]]
        : verb.commands.flatMap((inner) => withParents(inner, `${path} ${inner.name()}`))
    for (const [verb, path] of withParents(modelsCommand(), 'driftline models')) {
      const help: string[] = []
      verb.configureOutput({ writeOut: (text) => void help.push(text) })
      verb.outputHelp()
      expect(help.join('')).toContain(path)
    }
  })
})
