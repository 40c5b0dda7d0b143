import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ReplayReport } from '../../src/cli/replay/replay-report.ts'
import { parseReplayTime } from '../../src/cli/replay/replay-time.ts'
import { type ReplayRequest, runReplay } from '../../src/cli/replay/run-replay.ts'
import type { ClassAgreement, NumberAgreement } from '../../src/models/compare/agreement.ts'
import { type DriftlineRun, lastLine, runDriftline } from '../support/driftline.ts'
import { classifiers, regressors } from '../support/engine-candidates.ts'
import { eventually } from '../support/eventually.ts'
import { committedRecords, uniqueName } from '../support/kafka.ts'
import { testLogger } from '../support/test-logger.ts'
import { createVersionsWorld, type StoredVersion, sayOf, type VersionsWorld } from '../support/versions-world.ts'

const candidate = (name: string) => [...classifiers, ...regressors].find((known) => known.name === name)!

let world: VersionsWorld
afterEach(() => world.close())

const replay = async (
  model: string,
  options: Partial<Pick<ReplayRequest, 'toTopic' | 'restart'>> & { from?: string; to?: string } = {},
): Promise<ReplayReport> => {
  const { from = 'earliest', to = 'latest', toTopic = null, restart = false } = options
  const now = Date.now()
  return runReplay(
    world.config,
    {
      asked: { from, to, model },
      from: parseReplayTime(from, now),
      to: parseReplayTime(to, now),
      toTopic,
      restart,
    },
    { logger: testLogger(), update: () => undefined, signal: new AbortController().signal },
  )
}

const replayTopic = (): string => {
  const name = uniqueName('again')
  world.alsoDelete(name, `${name}.dead-letters`)
  return name
}

/** By hand: what two versions say of the events, counted without any of the code that is tested. */
const confusionOf = (published: StoredVersion, replayed: StoredVersion, from: number, to: number) => {
  const classes = world.config.task.target.type === 'classification' ? world.config.task.target.classes : []
  const confusion = classes.map(() => classes.map(() => 0))
  let differences = 0
  let max = 0
  for (let number = from; number < to; number++) {
    const [a, b] = [published, replayed].map((version) => sayOf(version, world.eventOf(number)))
    confusion[classes.indexOf(a!.name)]![classes.indexOf(b!.name)]! += 1
    a!.outputs.forEach((probability, index) => {
      const difference = Math.abs(probability - b!.outputs[index]!)
      differences += difference / a!.outputs.length
      max = Math.max(max, difference)
    })
  }
  return { confusion, mean: differences / (to - from), max }
}

/** The probabilities of 32 trees come in steps; the others do not. */
const expectClose = ({ probabilities }: ClassAgreement, expected: { mean: number; max: number }): void => {
  expect(probabilities?.mean_absolute_difference).toBeCloseTo(expected.mean, 9)
  expect(probabilities?.max_absolute_difference).toBeCloseTo(expected.max, 9)
}

const keysOf = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `k${from + i}`).sort()

// Each replay into a topic joins a group, and leaves it.
describe('a replay of classes', { timeout: 180_000 }, () => {
  let one: StoredVersion
  let two: StoredVersion

  beforeEach(async () => {
    world = await createVersionsWorld()
    one = await world.addVersion(candidate('histogram'))
    two = await world.addVersion(candidate('lbfgs'))
  })

  test('with the version that published agrees on everything, and with another one as counted by hand', async () => {
    await world.send(0, 600)
    await world.publish(one)
    const first = await world.kafka.admin.offsetRanges(world.kafka.topics.features.name)
    await world.send(600, 900)
    await world.publish(two, first)
    const published = await world.kafka.admin.offsetRanges(world.kafka.topics.predictions.name)

    const report = await replay('1')
    expect(report).toMatchObject({
      ...{ model_version: '1', to_topic: null, written: 0, refused: {}, only_published: 0, only_replayed: 0 },
      republished: 0,
      overall: { rows: 900 },
    })
    expect(report.ranges.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(900)
    const [same, other] = report.by_published_version
    expect([same?.model_version, other?.model_version]).toEqual(['1', '2'])
    expect(same?.agreement).toMatchObject({
      ...{ rows: 600, equal: 600, share_equal: 1 },
      probabilities: { rows: 600, mean_absolute_difference: 0, max_absolute_difference: 0 },
    })
    const counted = confusionOf(two, one, 600, 900)
    expect(other?.agreement).toMatchObject({ rows: 300, confusion: counted.confusion })
    const agreed = other!.agreement as ClassAgreement
    expectClose(agreed, counted)
    // The two have to differ, or nothing was seen.
    expect(agreed.equal).toBeLessThan(300)
    expect(report.overall).toMatchObject({ rows: 900, equal: 600 + agreed.equal })
    // Nothing was written anywhere.
    expect(await world.kafka.admin.offsetRanges(world.kafka.topics.predictions.name)).toEqual(published)
  })

  test('into a topic writes each prediction once, with its key and partition, and compares the same', async () => {
    await world.send(0, 300)
    await world.publish(one)
    const topic = replayTopic()
    const report = await replay('2', { toTopic: topic })
    const { task } = world.config.task
    expect(report).toMatchObject({ to_topic: topic, group: `${task}.replay.${topic}`, went_on: false, written: 300 })
    const counted = confusionOf(one, two, 0, 300)
    expect(report.overall).toMatchObject({ rows: 300, confusion: counted.confusion })
    expectClose(report.overall as ClassAgreement, counted)
    expect(await replay('2')).toMatchObject({
      overall: report.overall,
      by_published_version: report.by_published_version,
    })

    const records = await committedRecords(topic)
    expect(records.map(({ key }) => key).sort()).toEqual(keysOf(0, 300))
    for (const { key, partition } of records) expect(partition).toBe(Number(key?.slice(1)) % 3)
    for (const { value } of await world.read(topic)) {
      const decoded = world.kafka.codecs.predictions.decode(value)
      expect(decoded).toMatchObject({ ok: true, value: { model_version: '2', model_role: 'candidate' } })
    }

    // Once more: it has ended, so nothing is left to write.
    const again = await replay('2', { toTopic: topic })
    expect(again).toMatchObject({ went_on: true, written: 0, overall: report.overall })
    await expect(replay('1', { toTopic: topic })).rejects.toMatchObject({ code: 'REPLAY_REFUSED' })
    await expect(replay('1', { toTopic: topic, restart: true })).rejects.toMatchObject({ code: 'REPLAY_REFUSED' })
    await expect(replay('2', { toTopic: world.kafka.topics.predictions.name })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })

  test('takes the events between two times, and tells what only one side has', async () => {
    const { topics, client, admin } = world.kafka
    await world.send(0, 90)
    await world.publish(one)
    const first = await admin.offsetRanges(topics.features.name)
    const producer = await client.producer()
    // Not readable for anybody, and not published.
    await producer.send([{ topic: topics.features.name, partition: 1, key: null, value: Buffer.from('odd') }])
    await world.send(90, 150)
    const beforeLast = await admin.offsetRanges(topics.features.name)
    const newest = Math.max(...(await world.read(topics.features.name)).map(({ timestamp }) => timestamp))
    const end = newest + 1
    await eventually(() => expect(Date.now()).toBeGreaterThanOrEqual(end))
    await world.send(150, 180)
    await world.publish(one, first)
    // A request over HTTP has a prediction, and no source.
    await producer.send([
      {
        ...{ topic: topics.predictions.name, partition: 0, key: null },
        value: world.kafka.codecs.predictions.encode({
          ...{ event_id: 'http', source_partition: null, source_offset: null, event_time: 1, scored_at: 1 },
          ...{ prediction: 'setosa', class_index: 0, confidence: 1, probabilities: [1, 0, 0], value: null },
          ...{ model_version: '1', model_role: 'champion', features: [] },
        }),
      },
    ])
    await producer.close()

    const report = await replay('1', { to: new Date(end).toISOString() })
    expect(report).toMatchObject({
      ...{ only_published: 0, only_replayed: 0, refused: { BAD_WIRE_FORMAT: 1 } },
      overall: { rows: 150, equal: 150 },
    })
    expect(report.ranges.map(({ to }) => BigInt(to))).toEqual([...beforeLast.values()].map(({ to }) => to))
    const rest = await replay('1', { from: new Date(end).toISOString() })
    expect(rest).toMatchObject({ only_published: 0, only_replayed: 0, refused: {}, overall: { rows: 30, equal: 30 } })
  })

  test('says so where nothing was published, and what is published again counts with its last record', async () => {
    await world.send(0, 60)
    const none = await replay('production').catch((error: unknown) => error)
    expect(none).toMatchObject({ code: 'VERSION_NOT_FOUND' })
    expect(await replay('1')).toMatchObject({ only_replayed: 60, overall: { rows: 0, share_equal: null } })
    await world.publish(two)
    await world.publish(one)
    expect(await replay('1')).toMatchObject({
      ...{ only_replayed: 0, republished: 0 },
      by_published_version: [{ model_version: '1', agreement: { rows: 60, equal: 60 } }],
    })
  })
})

test('a replay that is interrupted or killed goes on, and every prediction is there once', async () => {
  world = await createVersionsWorld({ stream: { batchMaxRecords: 50 } })
  const one = await world.addVersion(candidate('histogram'))
  await world.send(0, 12_000)
  await world.publish(one)
  const topic = replayTopic()
  const args = ['replay', '--from', 'earliest', '--to', 'latest', '--model', '1', '--to-topic', topic, '--json']
  const written = async (): Promise<number> => {
    const ranges = await world.kafka.admin.offsetRanges(topic)
    return [...ranges.values()].reduce((sum, { from, to }) => sum + Number(to - from), 0)
  }
  const endAfter = async (run: DriftlineRun, least: number, signal: NodeJS.Signals): Promise<number> => {
    await eventually(async () => expect(await written()).toBeGreaterThan(least), { everyMs: 5, timeoutMs: 60_000 })
    run.child.kill(signal)
    return run.ended
  }
  expect(await endAfter(runDriftline(world.task, args), 500, 'SIGINT')).toBe(130)
  await endAfter(runDriftline(world.task, args), (await written()) + 500, 'SIGKILL')
  expect(await written()).toBeLessThan(12_000)

  const last = runDriftline(world.task, args)
  expect({ code: await last.ended, stderr: last.stderr() }).toMatchObject({ code: 0 })
  const report = JSON.parse(lastLine(last.stdout())) as ReplayReport
  expect(report).toMatchObject({
    ...{ went_on: true, only_published: 0, only_replayed: 0, republished: 0 },
    overall: { rows: 12_000, equal: 12_000, probabilities: { max_absolute_difference: 0 } },
  })
  // Two earlier runs wrote some of it.
  expect(report.written).toBeLessThan(12_000)
  const records = await committedRecords(topic)
  expect(records.map(({ key }) => key).sort()).toEqual(keysOf(0, 12_000))
  expect(new Set(records.map(({ headers }) => headers['driftline.prediction_id'])).size).toBe(12_000)
}, 180_000)

test('a replay of numbers gives the errors of one version against the other', async () => {
  world = await createVersionsWorld({ example: 'diabetes' })
  const one = await world.addVersion(candidate('cholesky'))
  const two = await world.addVersion(regressors[0]!)
  await world.send(0, 200)
  await world.publish(one)
  const same = await replay('1')
  expect(same.overall).toMatchObject({ rows: 200, equal: 200, share_within_1_percent: 1, rmse: 0, mae: 0 })
  const other = (await replay('2')).overall as NumberAgreement
  const differences = Array.from({ length: 200 }, (_, number) => {
    const event = world.eventOf(number)
    return sayOf(two, event).outputs[0]! - sayOf(one, event).outputs[0]!
  })
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  expect(other.rows).toBe(200)
  expect(other.mae).toBeCloseTo(mean(differences.map(Math.abs)), 9)
  expect(other.rmse).toBeCloseTo(Math.sqrt(mean(differences.map((difference) => difference ** 2))), 9)
  expect(other.mean_difference).toBeCloseTo(mean(differences), 9)
  expect(other.equal).toBeLessThan(200)
})
