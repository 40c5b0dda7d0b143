import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunningRole } from '../../src/cli/roles/role.ts'
import { startShadowRole } from '../../src/cli/roles/shadow.ts'
import type { ShadowChange } from '../../src/registry/registry-types.ts'
import { classifiers, regressors } from '../support/engine-candidates.ts'
import { eventually } from '../support/eventually.ts'
import { parseExposition, sampleOf } from '../support/exposition.ts'
import { committedRecords } from '../support/kafka.ts'
import { createVersionsWorld, type StoredVersion, sayOf, type VersionsWorld } from '../support/versions-world.ts'

const candidate = (name: string) => [...classifiers, ...regressors].find((known) => known.name === name)!

let world: VersionsWorld
let role: RunningRole | undefined

afterEach(async () => {
  await role?.stop()
  role = undefined
  await world.close()
})

const promote = async ({ version }: StoredVersion): Promise<void> => {
  const { epoch } = await world.store.readAliases()
  await world.store.setAlias({ alias: 'production', version, actor: 'tester', reason: 'x', at: 0 }, epoch)
}
const change = async (version: string, what: ShadowChange['change']): Promise<void> => {
  const { epoch } = await world.store.readAliases()
  await world.store.setShadow({ change: what, version, actor: 'tester', reason: 'x', at: 0 }, epoch)
}

const start = async (): Promise<void> => {
  role = await startShadowRole({ ...world.config, http: { ...world.config.http, rolePort: 0 } })
}
const health = async (): Promise<unknown> => {
  const reply = (await (await fetch(`${role!.url}/health`)).json()) as { details: unknown }
  return reply.details
}
const metric = async (name: string, labels: Record<string, string>): Promise<number | undefined> =>
  sampleOf(parseExposition(await (await fetch(`${role!.url}/metrics`)).text()), name, labels)

/** Until every event that lies on the topic was worked off. */
const caughtUp = () =>
  eventually(
    async () => {
      const { admin, topics } = world.kafka
      const lag = await admin.consumerLag(`${world.task.task}.shadow`, topics.features.name)
      expect([...lag.values()].every((waiting) => waiting === 0n)).toBe(true)
    },
    { everyMs: 200, timeoutMs: 60_000 },
  )

/** By hand: events of another class, and the sum over events of the mean difference of the probabilities. */
const compared = (production: StoredVersion, shadow: StoredVersion, numbers: readonly number[]) => {
  let disagreements = 0
  let differences = 0
  for (const number of numbers) {
    const [a, b] = [production, shadow].map((version) => sayOf(version, world.eventOf(number)))
    if (a!.name !== b!.name) disagreements += 1
    a!.outputs.forEach((output, index) => {
      differences += Math.abs(output - b!.outputs[index]!) / a!.outputs.length
    })
  }
  return { disagreements, differences }
}

const expectMetrics = async (production: StoredVersion, shadow: StoredVersion, numbers: readonly number[]) => {
  const labels = { model_version: shadow.version, production_version: production.version }
  const expected = compared(production, shadow, numbers)
  await eventually(async () => {
    expect(await metric('driftline_shadow_compared_total', labels)).toBe(numbers.length)
  })
  expect(await metric('driftline_shadow_disagreements_total', labels)).toBe(expected.disagreements)
  expect(await metric('driftline_shadow_difference_total', labels)).toBeCloseTo(expected.differences, 8)
  return expected
}

const numbersFrom = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const idsOf = (versions: readonly string[], numbers: readonly number[]) =>
  numbers.flatMap((number) => versions.map((version) => `k${number} v${version}`))

/** Key and version of each committed shadow prediction, by Kafka's own reader. */
const published = async (): Promise<string[]> =>
  (await committedRecords(world.kafka.topics.shadowPredictions.name)).map(
    ({ key, headers }) => `${key} ${/-(v\d+)$/.exec(headers['driftline.prediction_id'] ?? '')?.[1]}`,
  )

describe('the role shadow', { timeout: 180_000 }, () => {
  beforeEach(async () => {
    world = await createVersionsWorld()
  })

  test('scores every event with every shadow once, compares with production, and takes and leaves shadows', async () => {
    const one = await world.addVersion(candidate('histogram'))
    const two = await world.addVersion(candidate('lbfgs'))
    const three = await world.addVersion(candidate('libsvm, linear'))
    const four = await world.addVersion(candidate('libsvm, rbf'))
    const { kafka } = world
    await promote(one)
    await change(two.version, 'added')
    await change(three.version, 'added')
    await world.send(0, 300)
    const producer = await kafka.client.producer()
    await producer.send([{ topic: kafka.topics.features.name, partition: 0, key: null, value: Buffer.from('odd') }])
    await producer.close()
    await start()
    await caughtUp()
    const first = numbersFrom(0, 300)
    expect((await published()).sort()).toEqual(idsOf(['2', '3'], first).sort())
    const found = await expectMetrics(one, two, first)
    expect(found.disagreements).toBeGreaterThan(0)
    await expectMetrics(one, three, first)
    expect(await metric('driftline_shadow_events_total', { model_version: '2', outcome: 'scored' })).toBe(300)
    expect(await metric('driftline_shadow_unread_total', { code: 'BAD_WIRE_FORMAT' })).toBe(1)
    for (const topic of [kafka.topics.deadLetters.name, kafka.topics.predictions.name]) {
      expect(await world.read(topic)).toEqual([])
    }
    for (const { value } of await world.read(kafka.topics.shadowPredictions.name)) {
      const decoded = kafka.codecs.predictions.decode(value)
      expect(decoded).toMatchObject({ ok: true, value: { model_role: 'shadow' } })
    }

    await change(four.version, 'added')
    await change(two.version, 'removed')
    await eventually(async () => expect(await health()).toMatchObject({ shadows: ['3', '4'] }))
    await world.send(300, 450)
    await caughtUp()
    const second = numbersFrom(300, 450)
    expect((await published()).sort()).toEqual([...idsOf(['2', '3'], first), ...idsOf(['3', '4'], second)].sort())
    await expectMetrics(one, three, [...first, ...second])
    await expectMetrics(one, four, second)

    // Production moves: what is compared with the next one is counted apart.
    await promote(three)
    await eventually(async () => expect(await health()).toMatchObject({ production_version: '3' }))
    await world.send(450, 480)
    await caughtUp()
    await expectMetrics(three, four, numbersFrom(450, 480))
    await expectMetrics(three, three, numbersFrom(450, 480))
  })

  test('waits while there is no shadow, and without production it only scores', async () => {
    const one = await world.addVersion(candidate('lbfgs'))
    await world.send(0, 60)
    await start()
    expect(await health()).toMatchObject({ shadows: [], production_version: null })
    // The events wait for nobody, so nobody is to be alarmed.
    await eventually(async () => expect(await metric('driftline_consumer_lag_records', { partition: '0' })).toBe(0))
    expect(await published()).toEqual([])
    await change(one.version, 'added')
    await caughtUp()
    expect((await published()).sort()).toEqual(idsOf(['1'], numbersFrom(0, 60)).sort())
    expect(await metric('driftline_shadow_models', { model_version: '1', state: 'active' })).toBe(1)
    expect(await metric('driftline_shadow_compared_total', { model_version: '1' })).toBeUndefined()
  })

  test('a shadow that cannot be loaded is reported and left out', async () => {
    const one = await world.addVersion(candidate('lbfgs'))
    const two = await world.addVersion(candidate('histogram'))
    await promote(one)
    await change(two.version, 'added')
    await change(one.version, 'added')
    const blobs = join(world.config.paths.artefacts, 'blobs')
    const blob = join(blobs, `${two.manifest.binary.sha256}.bin`)
    expect(await readdir(blobs)).toContain(`${two.manifest.binary.sha256}.bin`)
    await rm(blob)
    await writeFile(blob, 'no model')
    await world.send(0, 30)
    await start()
    await caughtUp()
    expect(await health()).toMatchObject({ shadows: ['1'], refused: [{ version: '2', code: 'ARTEFACT_CORRUPT' }] })
    expect(await metric('driftline_shadow_models', { model_version: '2', state: 'refused' })).toBe(1)
    expect((await published()).sort()).toEqual(idsOf(['1'], numbersFrom(0, 30)).sort())
    expect(await expectMetrics(one, one, numbersFrom(0, 30))).toMatchObject({ disagreements: 0 })
  })
})

test('numbers are compared by how far they are apart', async () => {
  world = await createVersionsWorld({ example: 'diabetes' })
  const one = await world.addVersion(candidate('cholesky'))
  const two = await world.addVersion(regressors[0]!)
  await promote(one)
  await change(two.version, 'added')
  await world.send(0, 100)
  await start()
  await caughtUp()
  const labels = { model_version: '2', production_version: '1' }
  const values = numbersFrom(0, 100).map((number) => {
    const event = world.eventOf(number)
    return [sayOf(one, event).outputs[0]!, sayOf(two, event).outputs[0]!] as const
  })
  await eventually(async () => expect(await metric('driftline_shadow_compared_total', labels)).toBe(100))
  const apart = values.filter(([a, b]) => Math.abs(a - b) > 0.01 * Math.max(Math.abs(a), Math.abs(b)))
  expect(await metric('driftline_shadow_disagreements_total', labels)).toBe(apart.length)
  const sum = values.reduce((total, [a, b]) => total + Math.abs(a - b), 0)
  expect(await metric('driftline_shadow_difference_total', labels)).toBeCloseTo(sum, 6)
})
