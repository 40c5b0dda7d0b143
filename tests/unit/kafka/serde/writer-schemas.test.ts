import { expect, test } from 'vitest'
import type { SchemaCache } from '../../../../src/kafka/serde/schema-cache.ts'
import { createWriterSchemas } from '../../../../src/kafka/serde/writer-schemas.ts'
import { testLogger } from '../../../support/test-logger.ts'

const schema = { type: 'record' as const, name: 'R', fields: [{ name: 'x', type: 'int' as const }] }

const memoryCache = (kept: Map<number, string> = new Map()): SchemaCache => ({
  schema: async (id) => kept.get(id) ?? null,
  addSchema: async (id, text) => {
    kept.set(id, text)
  },
  registration: async () => null,
  addRegistration: async () => {},
  clear: async () => kept.clear(),
})

const create = (
  fetchSchema: (id: number) => Promise<typeof schema | null | 'not-avro'>,
  options: { kept?: Map<number, string>; unknownIdTtlMs?: number } = {},
) =>
  createWriterSchemas({
    cache: memoryCache(options.kept),
    fetchSchema,
    logger: testLogger(),
    unknownIdTtlMs: options.unknownIdTtlMs ?? 60_000,
  })

test('asks once for each id, however many ask at the same time', async () => {
  const fetched: number[] = []
  const kept = new Map<number, string>()
  const writers = create(
    async (id) => {
      fetched.push(id)
      return schema
    },
    { kept },
  )
  await Promise.all([writers.load([1, 2]), writers.load([2, 1]), writers.load([1])])
  await writers.load([1])
  expect(fetched).toEqual([1, 2])
  expect(writers.get(1)).toMatchObject({ kind: 'known' })
  expect([...kept.keys()]).toEqual([1, 2])
})

test('what is on disk is not asked for; what is broken there is', async () => {
  const fetched: number[] = []
  const kept = new Map([
    [1, JSON.stringify(schema)],
    [2, '{"type":'],
  ])
  const writers = create(
    async (id) => {
      fetched.push(id)
      return schema
    },
    { kept },
  )
  await writers.load([1, 2])
  expect(fetched).toEqual([2])
})

test('an id that is not known is asked for again after a while, and not before', async () => {
  let answer: typeof schema | null = null
  let fetches = 0
  const fetchSchema = async () => {
    fetches++
    return answer
  }
  const patient = create(fetchSchema)
  await patient.load([5])
  await patient.load([5])
  expect(fetches).toBe(1)
  expect(patient.get(5)).toEqual({ kind: 'unknown' })

  const eager = create(fetchSchema, { unknownIdTtlMs: 0 })
  await eager.load([5])
  expect(eager.get(5)).toEqual({ kind: 'unknown' })
  answer = schema
  await eager.load([5])
  expect(eager.get(5)).toMatchObject({ kind: 'known' })
})

test('a registry that is down is an error, and nothing is remembered of it', async () => {
  let down = true
  const writers = create(async () => {
    if (down) throw new Error('down')
    return schema
  })
  await expect(writers.load([1])).rejects.toThrow('down')
  expect(writers.get(1)).toBeUndefined()
  down = false
  await writers.load([1])
  expect(writers.get(1)).toMatchObject({ kind: 'known' })
})

test('refuses schemas that cannot or must not be read', async () => {
  const odd = new Map<number, unknown>([
    [1, 'not-avro'],
    [2, { type: 'record', name: 'R', fields: [{ name: 'x', type: { type: 'array', items: 'null' } }] }],
    [3, { type: 'record', name: 'R', fields: [{ name: 'x', type: 'nonsense' }] }],
  ])
  const writers = create(async (id) => odd.get(id) as typeof schema)
  await writers.load([1, 2, 3])
  for (const id of [1, 2, 3]) expect(writers.get(id)).toMatchObject({ kind: 'refused' })
})

test('does not remember garbage for ever', async () => {
  const writers = create(async () => null)
  await writers.load(Array.from({ length: 10_050 }, (_, i) => i))
  expect(writers.get(0)).toBeUndefined()
  expect(writers.get(10_049)).toEqual({ kind: 'unknown' })
})

test('of ids that nobody has ever heard of only a few large ones are asked for; small ones always', async () => {
  const fetched: number[] = []
  const writers = create(async (id) => {
    fetched.push(id)
    return id === 70 ? schema : null
  })
  const madeUp = Array.from({ length: 5000 }, (_, i) => 1_000_000_000 + i)
  await writers.load(madeUp)
  expect(fetched.length).toBeGreaterThanOrEqual(50)
  expect(fetched.length).toBeLessThan(70)
  expect(madeUp.every((id) => writers.has(id) && writers.get(id)?.kind === 'unknown')).toBe(true)
  const asked = fetched.length
  await writers.load([70, 71, 2_000_000_000])
  expect(fetched.slice(asked)).toEqual([70, 71])
  expect(writers.get(70)).toMatchObject({ kind: 'known' })
})
