import { describe, expect, it } from 'vitest'
import type { IngressDeps } from '../../../src/api/ingress.ts'
import { createInstanceScoring } from '../../../src/api/score-instances.ts'
import type { PredictionRow } from '../../../src/history/history-types.ts'
import type { ActiveModel } from '../../../src/registry/registry-types.ts'
import { scoring } from '../../../streams/scoring.ts'
import { parseExposition, sampleOf } from '../../support/exposition.ts'
import { fixedNow, ingressUnderTest, sampleManifest } from '../../support/ingress-under-test.ts'
import { createSampleCodecs } from '../../support/sample-codecs.ts'

const task: IngressDeps['task'] = {
  task: 'plants',
  features: [
    { name: 'height', type: 'double', nullable: false },
    { name: 'soil', type: 'category', categories: ['clay', 'sand'], nullable: false },
    { name: 'shade', type: 'category', categories: ['none', 'half', 'full'], nullable: true },
  ],
  target: { name: 'yield', type: 'regression', unit: 'kg' },
  accuracy: { windowEvents: 500 },
}

/** `100 * height + 10 * soil + shade`, by codes of its own order; a missing shade counts 9. */
const model: ActiveModel = {
  version: '4',
  epoch: 9,
  loadedAt: 0,
  scorer: {
    kind: 'regression',
    featureNames: ['shade', 'soil', 'height'],
    classNames: [],
    outputs: 1,
    scoreBlock: (features, rows, out) => {
      for (let row = 0; row < rows; row++) {
        const [shade, soil, height] = features.subarray(row * 3, row * 3 + 3)
        out[row] = 100 * height! + 10 * soil! + (Number.isNaN(shade) ? 9 : shade!)
      }
    },
  },
  manifest: {
    ...sampleManifest,
    kind: 'regression',
    features: ['shade', 'soil', 'height'],
    categories: [['full', 'half', 'none'], ['sand', 'clay'], []],
    classes: [],
  },
}

const ingress = (overrides: Partial<IngressDeps> = {}) =>
  ingressUnderTest({ task, currentModel: () => model, ...overrides })
const post = (app: ReturnType<typeof ingress>['app'], payload: object) =>
  app.inject({ method: 'POST', url: '/predict', payload })

describe('an instance with categories', () => {
  it('is answered by a number, and published with the names that it brought', async () => {
    const { app, published, metrics } = ingress()
    const reply = await post(app, { height: 1, soil: 'clay', shade: 'none', event_id: 'e1' })
    expect(reply.statusCode).toBe(200)
    expect(reply.json()).toEqual({
      event_id: 'e1',
      prediction: 112,
      model_used: 'shallow_forest',
      model_version: '4',
      timestamp: new Date(fixedNow).toISOString(),
    })
    expect(published[0]?.prediction).toMatchObject({
      prediction: '112',
      value: 112,
      class_index: null,
      confidence: null,
      probabilities: [],
      features: ['none', 'clay', 1],
    })
    const exposed = parseExposition(await metrics.text())
    expect(sampleOf(exposed, 'plants_predictions_total', { class: 'number' })).toBe(1)
  })

  it('is scored where the model does not know a name, or one is missing that may be', async () => {
    const { app, published } = ingress()
    const reply = await post(app, [
      { height: 0, soil: 'peat', shade: null },
      { height: 0, soil: '' },
    ])
    expect(reply.json().map(({ prediction }: { prediction: number }) => prediction)).toEqual([29, 29])
    expect(published.map(({ prediction }) => prediction.features)).toEqual([
      [null, 'peat', 0],
      [null, '', 0],
    ])
  })

  it.each<[string, object, string, string, string]>([
    ['a number', { height: 1, soil: 5 }, 'soil', 'FEATURE_NOT_TEXT', 'must be text, is a number'],
    ['true', { height: 1, soil: true }, 'soil', 'FEATURE_NOT_TEXT', 'must be text, is a boolean'],
    ['a list where it may be missing', { height: 1, soil: 'clay', shade: [] }, 'shade', 'FEATURE_NOT_TEXT', 'an array'],
    ['null where it may not be', { height: 1, soil: null }, 'soil', 'FEATURE_MISSING', 'is null'],
    ['nothing', { height: 1 }, 'soil', 'FEATURE_MISSING', 'is missing'],
    [
      'a name that would make a record of its own size',
      { height: 1, soil: 'x'.repeat(1001) },
      'soil',
      'CATEGORY_TOO_LONG',
      'may have 1000 characters, has more',
    ],
    ['text for the number beside it', { height: 'clay', soil: 'clay' }, 'height', 'FEATURE_NOT_A_NUMBER', 'a number'],
  ])('is 400 for %s', async (_name, body, field, code, reason) => {
    const { app, published } = ingress()
    const reply = await post(app, body)
    expect(reply.statusCode).toBe(400)
    expect(reply.json().error.faults).toEqual([{ code, field, message: expect.stringContaining(reason) }])
    expect(published).toEqual([])
  })

  it('gets the same prediction on the stream, but for where it came from', async () => {
    const codecs = await createSampleCodecs({ task: 'plants', features: task.features })
    const { process } = scoring({
      topics: codecs.topics,
      features: task.features,
      currentModel: () => model,
      now: () => fixedNow,
    })
    const overHttp = createInstanceScoring({ features: task.features, now: () => fixedNow, newId: () => 'x' })
    const instances = [
      { event_id: 'a', height: 1, soil: 'sand', shade: 'full' },
      { event_id: 'b', height: 2, soil: 'peat', shade: null },
    ]
    const { rows, batch } = codecs.rowsOf(instances.map((instance) => ({ ...instance, event_time: fixedNow })))
    const streamed = codecs.published(process(rows), batch).predictions.map((prediction) => ({
      ...prediction,
      ...{ source_partition: null, source_offset: null },
    }))
    expect(overHttp(model, instances, true)).toEqual(streamed)
  })
})

describe('a task that predicts a number', () => {
  it('describes its replies as numbers and its categories as text', async () => {
    const { app } = ingress()
    const { components } = (await app.inject('/openapi.json')).json()
    const { Prediction, Instance } = components.schemas
    expect(Prediction.properties.prediction).toEqual({ type: 'number', description: 'The predicted number, in kg' })
    expect(Prediction.required).not.toContain('confidence')
    expect(Instance.properties.soil).toMatchObject({ type: 'string' })
    expect(Instance.properties.soil).not.toHaveProperty('enum')
    expect(Instance.properties.shade).toMatchObject({ type: ['string', 'null'] })
    expect((await post(app, Instance.examples[0])).statusCode).toBe(200)
    expect((await app.inject('/')).json()).toMatchObject({ target: { type: 'regression', unit: 'kg' }, classes: [] })
  })

  it('tells the errors of the model on recent labels', async () => {
    const { app } = ingress({
      history: {
        predictions: async () => ({ predictions: [], next: null }),
        liveAccuracy: () => Promise.reject(new Error('asked for the accuracy of numbers')),
        liveErrors: async ({ window }) => ({
          overall: { labelled: window, rmse: 1, r2: 1 },
          by_version: [{ model_version: '4', labelled: 40, rmse: 2.5, r2: 0.5 }],
        }),
      },
    })
    const info = (await app.inject('/model/info')).json()
    expect(info).toMatchObject({ kind: 'regression', live: { labelled: 40, rmse: 2.5, r2: 0.5 } })
  })

  it('shows numbers in its history', async () => {
    const row: PredictionRow & { label: string | null } = {
      prediction_id: 'plants.features-0-17',
      event_id: 'e-1',
      source_partition: 0,
      source_offset: 17,
      event_time: 0,
      scored_at: 1,
      prediction: '112.5',
      class_index: null,
      confidence: null,
      probabilities: [],
      value: 112.5,
      model_version: '4',
      model_role: 'champion',
      features: [null, 'clay', 1],
      label: '110',
    }
    const { app } = ingress({
      namesOf: async () => model.manifest,
      history: {
        predictions: async () => ({ predictions: [row], next: null }),
        liveAccuracy: async () => ({ overall: { labelled: 0, correct: 0, accuracy: null }, by_version: [] }),
        liveErrors: async () => ({ overall: { labelled: 0, rmse: null, r2: null }, by_version: [] }),
      },
    })
    expect((await app.inject('/predictions/history')).json().predictions).toMatchObject([
      {
        prediction: 112.5,
        label: 110,
        confidence: null,
        prediction_proba: null,
        features: { height: 1, soil: 'clay', shade: null },
      },
    ])
  })
})
