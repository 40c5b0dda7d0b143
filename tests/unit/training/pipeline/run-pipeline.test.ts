import { beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../../../src/training/pipeline/canonical-digest.ts'
import { digestCode } from '../../../../src/training/pipeline/code-digest.ts'
import type { PipelineLock } from '../../../../src/training/pipeline/pipeline-lock.ts'
import { type PipelineParts, runPipeline, type StagedModel } from '../../../../src/training/pipeline/run-pipeline.ts'
import { sampleArtefact, sampleRun } from '../../../support/sample-artefact.ts'

/** A store, a lock and a staging place in memory, and steps that count their runs. */
const createWorld = () => {
  const versions = new Map<string, StagedModel>()
  let lock: PipelineLock = { format: 1 }
  let staged: StagedModel | null = null
  const runs = { validate: 0, train: 0, add: 0 }
  const world = {
    versions,
    runs,
    staged: () => staged,
    data: 'rows 1',
    parameters: 'parameters 1',
    code: 'code 1',
    force: false,
    /** Where the process is killed. */
    killAt: null as 'train' | 'add' | 'after add' | 'register lock' | null,
    run: async () => {
      const inputs = { data: world.data, parameters: world.parameters, code: world.code }
      const parts: PipelineParts = {
        force: world.force,
        inputs: { validate: { data: world.data, code: world.code }, train: inputs },
        lock: {
          read: async () => lock,
          write: async (next) => {
            if (world.killAt === 'register lock' && next.register !== lock.register) throw new Error('killed')
            lock = next
          },
        },
        validate: async () => {
          runs.validate++
          return { rows: 4, features: 2, issues: [] }
        },
        train: async () => {
          if (world.killAt === 'train') throw new Error('killed')
          runs.train++
          // What comes out depends on what goes in, and on nothing else.
          const seed = Number.parseInt(digestOf(inputs).slice(0, 8), 16) / 2 ** 32
          return { artefact: sampleArtefact(seed), run: { ...sampleRun(runs.train), lineage: inputs } }
        },
        staging: {
          write: async (model) => {
            staged = model
          },
          read: async () => staged,
          remove: async () => {
            staged = null
          },
        },
        registry: {
          add: async (model) => {
            if (world.killAt === 'add') throw new Error('killed')
            runs.add++
            const version = String(versions.size + 1)
            versions.set(version, model)
            if (world.killAt === 'after add') throw new Error('killed')
            return version
          },
          read: async (version) => versions.get(version)?.artefact ?? null,
          findMade: async (wanted) =>
            [...versions].findLast(([, { run }]) => digestOf(run.lineage) === digestOf(wanted))?.[0] ?? null,
        },
        onStep: () => undefined,
      }
      const { version, steps, run } = await runPipeline(parts)
      return { version, trained: run !== null, steps: steps.map(({ step, status }) => `${step} ${status}`) }
    },
  }
  return world
}

describe('the pipeline', () => {
  let world: ReturnType<typeof createWorld>
  beforeEach(() => {
    world = createWorld()
  })

  test('runs every step once, and none again while nothing changes', async () => {
    expect(await world.run()).toEqual({
      version: '1',
      trained: true,
      steps: ['validate ran', 'train ran', 'register ran'],
    })
    expect(await world.run()).toEqual({
      version: '1',
      trained: false,
      steps: ['validate unchanged', 'train unchanged', 'register unchanged'],
    })
    expect(world.runs).toEqual({ validate: 1, train: 1, add: 1 })
    expect(world.staged()).toBe(null)
  })

  test.each(['data', 'parameters', 'code'] as const)('trains again when the %s change', async (input) => {
    await world.run()
    world[input] = 'other'
    const { version, steps } = await world.run()
    expect(version).toBe('2')
    expect(steps).toEqual([input === 'parameters' ? 'validate unchanged' : 'validate ran', 'train ran', 'register ran'])
  })

  test('goes back to what was: the former version is found, not trained again', async () => {
    await world.run()
    world.data = 'rows 2'
    await world.run()
    world.data = 'rows 1'
    expect(await world.run()).toMatchObject({
      version: '1',
      trained: false,
      steps: ['validate ran', 'train unchanged', 'register unchanged'],
    })
    expect((await world.run()).version).toBe('1')
    expect(world.versions.size).toBe(2)
  })

  test('runs everything where it is told to', async () => {
    await world.run()
    world.force = true
    expect((await world.run()).steps).toEqual(['validate ran', 'train ran', 'register ran'])
    expect(world.runs).toEqual({ validate: 2, train: 2, add: 2 })
  })

  test('trains again when the version is gone', async () => {
    await world.run()
    world.versions.clear()
    expect(await world.run()).toMatchObject({ trained: true, version: '1' })
  })

  test('trains again when the version is another one', async () => {
    await world.run()
    world.versions.set('1', { artefact: sampleArtefact(0.123), run: sampleRun() })
    expect((await world.run()).steps).toContain('train ran')
  })

  test.each([
    ['train', { train: 1, add: 1 }],
    ['add', { train: 1, add: 1 }],
    ['after add', { train: 1, add: 1 }],
    ['register lock', { train: 1, add: 1 }],
  ] as const)('killed at %s, it ends with one training and one version', async (place, expected) => {
    world.killAt = place
    await expect(world.run()).rejects.toThrow('killed')
    world.killAt = null
    expect((await world.run()).version).toBe('1')
    expect(world.runs).toMatchObject(expected)
    expect(world.versions.size).toBe(1)
    expect((await world.run()).steps.every((step) => step.endsWith('unchanged'))).toBe(true)
  })

  test('a model left in staging by other inputs is not taken', async () => {
    world.killAt = 'add'
    await expect(world.run()).rejects.toThrow('killed')
    world.killAt = null
    world.data = 'rows 2'
    await world.run()
    expect(world.runs.train).toBe(2)
  })
})

describe('digests', () => {
  test('of values do not depend on the order of keys', () => {
    expect(digestOf({ a: 1, b: { c: [1, 2], d: null } })).toBe(digestOf({ b: { d: null, c: [1, 2] }, a: 1 }))
    expect(digestOf({ a: [1, 2] })).not.toBe(digestOf({ a: [2, 1] }))
  })

  test('of the code change with the libraries', async () => {
    const [one, same, other] = await Promise.all([
      digestCode({ a: '1' }),
      digestCode({ a: '1' }),
      digestCode({ a: '2' }),
    ])
    expect(one).toMatch(/^[0-9a-f]{64}$/)
    expect(one).toBe(same)
    expect(one).not.toBe(other)
  })
})
