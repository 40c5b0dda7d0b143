import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createShadowWriter, summariseShadows } from '../../../src/cli/roles/shadow-writer.ts'
import type { FeatureEvent } from '../../../src/events.ts'
import type { FeatureSpec } from '../../../src/features/feature-spec.ts'
import type { ScoringModel } from '../../../src/models/score-rows.ts'
import type { Scorer } from '../../../src/models/scorer.ts'
import { type ShadowDeps, shadowScoring } from '../../../streams/shadow.ts'
import { createSampleSink } from '../../support/sample-batch.ts'
import { createSampleCodecs } from '../../support/sample-codecs.ts'

const features: readonly FeatureSpec[] = [
  { name: 'a', type: 'double', nullable: false, range: [0, 100] },
  { name: 'b', type: 'double', nullable: true },
]
const codecs = await createSampleCodecs({ features })
const { topics } = codecs

/** Gives each class what `probabilitiesOf` says of a. */
const model = (
  version: string,
  classNames: readonly string[],
  probabilitiesOf: (a: number) => readonly number[],
): ScoringModel => {
  const scorer: Scorer = {
    ...{ kind: 'classification', featureNames: ['a', 'b'], classNames, outputs: classNames.length },
    scoreBlock: (rows, count, out) => {
      for (let i = 0; i < count; i++) out.set(probabilitiesOf(rows[2 * i]!), i * classNames.length)
    },
  }
  return { version, scorer, manifest: { categories: [[], []] } }
}
const number = (version: string, predict: (a: number) => number): ScoringModel => ({
  version,
  manifest: { categories: [[], []] },
  scorer: {
    ...{ kind: 'regression', featureNames: ['a', 'b'], classNames: [], outputs: 1 },
    scoreBlock: (rows, count, out) => {
      for (let i = 0; i < count; i++) out[i] = predict(rows[2 * i]!)
    },
  },
})

const eventsOf = (values: readonly number[]): FeatureEvent[] =>
  values.map((a, i) => ({ event_id: `e${i}`, event_time: 1000 + i, a, b: null }) as FeatureEvent)

const create = (production: ScoringModel | null, shadows: () => readonly ScoringModel[]) => {
  const deps: ShadowDeps = { topics, features, production: () => production, shadows, now: () => 5000 }
  const { process, reads, writes } = shadowScoring(deps)
  const writer = createShadowWriter(codecs.predictionRows(topics.shadowPredictions.name))
  return {
    reads,
    writes,
    run: (values: readonly number[]) => {
      const { rows, batch } = codecs.rowsOf(eventsOf(values))
      const result = process(rows)
      const { sink, records } = createSampleSink()
      const written = writer.write(rows, result, batch, sink)
      return { summary: summariseShadows(rows, result), records, written }
    },
  }
}

const byA = model('1', ['low', 'high'], (a) => [1 - a / 100, a / 100])
const turned = model('2', ['high', 'low'], (a) => [a / 100, 1 - a / 100])
const always = model('3', ['low', 'mid', 'high'], () => [0.25, 0.5, 0.25])

test('every shadow gives each event a prediction of its own name, and production none', () => {
  const { run, reads, writes } = create(byA, () => [turned, always])
  expect([reads, writes]).toEqual([[topics.features], [topics.shadowPredictions]])
  const { records, written } = run([20, 70])
  expect(written).toEqual({ outputs: 4, failures: new Map() })
  expect(new Set(records.map(({ topic }) => topic))).toEqual(new Set([topics.shadowPredictions.name]))
  const names = records.map(({ headers }) => String(headers?.['driftline.prediction_id']))
  const source = names[0]!.replace(/-\d+-v2$/, '')
  expect(names.map((name) => name.slice(source.length)).sort()).toEqual(['-40-v2', '-40-v3', '-41-v2', '-41-v3'])
  const read = records.map(({ value }) => codecs.predictions.decode(value))
  expect(read.map((decoded) => decoded.ok && decoded.value)).toMatchObject([
    { event_id: 'e0', prediction: 'low', model_version: '2', model_role: 'shadow', source_offset: 40 },
    { event_id: 'e1', prediction: 'high', model_version: '2', model_role: 'shadow', source_offset: 41 },
    { event_id: 'e0', prediction: 'mid', model_version: '3', model_role: 'shadow' },
    { event_id: 'e1', prediction: 'mid', model_version: '3', model_role: 'shadow' },
  ])
})

test('classes and probabilities are compared by their names', () => {
  const { run } = create(byA, () => [turned, always])
  const [same, other] = run([20, 70]).summary
  expect(same).toEqual({
    ...{ modelVersion: '2', scored: 2, refused: 0 },
    against: { production: '1', comparison: { rows: 2, disagreements: 0, differences: 0 } },
  })
  // By hand: (|0.8 - 0.25| + 0.5 + |0.2 - 0.25|) / 3 and (|0.3 - 0.25| + 0.5 + |0.7 - 0.25|) / 3.
  expect(other?.against?.comparison).toEqual({
    rows: 2,
    disagreements: 2,
    differences: expect.closeTo(1.1 / 3 + 1 / 3, 12),
  })
})

test('a shadow that fails on an event is not compared there, and the others are', () => {
  const fragile = model('4', ['low', 'high'], (a) => {
    if (a === 70) throw new Error('no')
    return [1, 0]
  })
  const { run } = create(byA, () => [fragile, turned])
  const { summary, records } = run([20, 70, 90])
  expect(summary).toMatchObject([
    { modelVersion: '4', scored: 2, refused: 1, against: { comparison: { rows: 2, disagreements: 1 } } },
    { modelVersion: '2', scored: 3, refused: 0, against: { comparison: { rows: 3, disagreements: 0 } } },
  ])
  expect(records).toHaveLength(5)
})

test('without production nothing is compared; without shadows the events wait', () => {
  let shadows: readonly ScoringModel[] = [turned]
  const { run } = create(null, () => shadows)
  expect(run([20]).summary).toEqual([{ modelVersion: '2', scored: 1, refused: 0, against: null }])
  shadows = []
  expect(() => run([20])).toThrow(expect.objectContaining({ code: 'NO_SHADOWS', retryable: true }))
  shadows = [always]
  expect(run([20]).summary).toMatchObject([{ modelVersion: '3' }])
})

test('numbers disagree where they are more than 1 % apart', () => {
  const { run } = create(
    number('1', (a) => a),
    () => [number('2', (a) => (a < 50 ? a * 1.005 : a + 10))],
  )
  expect(run([20, 40, 60]).summary[0]?.against?.comparison).toEqual({
    rows: 3,
    disagreements: 1,
    differences: expect.closeTo(0.1 + 0.2 + 10, 9),
  })
})

test('two models that change sides are as far apart', () => {
  const values = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(values, (all) => {
      const [there] = create(byA, () => [always]).run(all).summary
      const [back] = create(always, () => [byA]).run(all).summary
      const [a, b] = [there!.against!.comparison, back!.against!.comparison]
      expect(b).toEqual({ ...a, differences: expect.closeTo(a.differences, 9) })
      expect(create(byA, () => [byA]).run(all).summary[0]?.against?.comparison).toMatchObject({
        ...{ disagreements: 0, differences: 0 },
      })
    }),
    { seed: 5, numRuns: 60 },
  )
})
