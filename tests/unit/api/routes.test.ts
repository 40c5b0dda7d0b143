import { describe, expect, it, vi } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import type { PredictionRow } from '../../../src/history/history-types.ts'
import type { RefreshResult } from '../../../src/registry/registry-types.ts'
import { parseExposition, sampleOf } from '../../support/exposition.ts'
import { ingressUnderTest, sampleInstance } from '../../support/ingress-under-test.ts'

const noPage = async () => ({ predictions: [], next: null })
const noAccuracy = async () => ({ overall: { labelled: 0, correct: 0, accuracy: null }, by_version: [] })
const noErrors = async () => ({ overall: { labelled: 0, rmse: null, r2: null }, by_version: [] })

const row: PredictionRow & { label: string | null } = {
  prediction_id: 'plants.features-0-17',
  event_id: 'e-1',
  source_partition: 0,
  source_offset: 17,
  event_time: Date.UTC(2026, 0, 2, 3, 0, 0),
  scored_at: Date.UTC(2026, 0, 2, 3, 0, 1),
  prediction: 'tree',
  class_index: 2,
  confidence: 0.8,
  probabilities: [0.15, 0.05, 0.8],
  value: null,
  model_version: '4',
  model_role: 'champion',
  // In the order of the model: age, height, weight.
  features: [24, 2.5, null],
  label: 'herb',
}

describe('GET /', () => {
  it('names the task and leads to routes that are there', async () => {
    const { app } = ingressUnderTest()
    const index = (await app.inject('/')).json()
    expect(index).toMatchObject({ name: 'driftline', version: '1.2.3', task: 'plants' })
    for (const path of Object.values<string>(index.links)) {
      const replies = await Promise.all([app.inject(path), app.inject({ method: 'POST', url: path })])
      expect(replies.map((reply) => reply.statusCode).filter((status) => status !== 404)).not.toEqual([])
    }
  })
})

describe('GET /model/info', () => {
  it('tells what the model is, where it came from and how it does', async () => {
    const { app } = ingressUnderTest({
      history: {
        liveErrors: noErrors,
        predictions: noPage,
        liveAccuracy: async ({ window }) => ({
          overall: { labelled: window, correct: 0, accuracy: 0 },
          by_version: [{ model_version: '4', labelled: 40, correct: 38, accuracy: 0.95 }],
        }),
      },
    })
    const reply = await app.inject('/model/info')
    expect(reply.json()).toMatchObject({
      name: 'shallow_forest',
      version: '4',
      role: 'champion',
      epoch: 9,
      loaded_at: '2026-01-02T03:04:05.000Z',
      family: 'forest',
      engine: 'sample',
      parameters: { trees: 3 },
      features: ['age', 'height', 'weight'],
      classes: ['grass', 'herb', 'tree'],
      metrics: { test: { accuracy: 0.9, confusion: [[10]] } },
      live: { labelled: 40, accuracy: 0.95 },
      data: { digest: 'ab'.repeat(32), base_rows: 150 },
      reason: 'initial',
    })
  })

  it('answers without live figures while the history does not', async () => {
    const liveAccuracy = () => Promise.reject(new Error('database is locked'))
    const { app } = ingressUnderTest({ history: { liveErrors: noErrors, predictions: noPage, liveAccuracy } })
    const reply = await app.inject('/model/info')
    expect(reply.statusCode).toBe(200)
    expect(reply.json().live).toBeNull()
  })

  it('is 503 without a model', async () => {
    const { app } = ingressUnderTest({ currentModel: () => null })
    const reply = await app.inject('/model/info')
    expect(reply.statusCode).toBe(503)
    expect(reply.json().error.code).toBe('MODEL_NOT_LOADED')
  })
})

describe('POST /reload', () => {
  it.each<RefreshResult>([
    { status: 'unchanged', version: null },
    { status: 'swapped', version: '5', previous: '4', loadMs: 12 },
    { status: 'rejected', version: '6', code: 'ARTEFACT_CORRUPT', reason: 'the digest differs' },
  ])('answers with what came of it: $status', async (result) => {
    const { app } = ingressUnderTest({ refreshModel: async () => result })
    const reply = await app.inject({ method: 'POST', url: '/reload' })
    expect(reply.statusCode).toBe(200)
    expect(reply.json()).toEqual(result)
  })

  it('reads once for many calls at the same time, and again for a later one', async () => {
    const refreshModel = vi.fn(async (): Promise<RefreshResult> => ({ status: 'unchanged', version: '4' }))
    const { app } = ingressUnderTest({ refreshModel })
    const call = () => app.inject({ method: 'POST', url: '/reload' })
    await app.ready()
    await Promise.all([call(), call(), call()])
    const atOnce = refreshModel.mock.calls.length
    await call()
    expect(refreshModel.mock.calls.length).toBe(atOnce + 1)
    expect(atOnce).toBeLessThan(3)
  })

  it('is 503 where the aliases cannot be read', async () => {
    const { app } = ingressUnderTest({ refreshModel: () => Promise.reject(new Error('no such folder')) })
    const reply = await app.inject({ method: 'POST', url: '/reload' })
    expect(reply.statusCode).toBe(503)
    expect(reply.json().error.code).toBe('RELOAD_FAILED')
    expect(reply.headers['retry-after']).toBeDefined()
  })
})

describe('GET /predictions/history', () => {
  it('answers a page with names, times and labels, and passes the parameters on', async () => {
    const predictions = vi.fn(async () => ({ predictions: [row], next: 'cursor-2' }))
    const { app } = ingressUnderTest({ history: { liveErrors: noErrors, predictions, liveAccuracy: noAccuracy } })
    const reply = await app.inject('/predictions/history?limit=7&before=cursor-1&event_id=e-1')
    expect(predictions).toHaveBeenCalledWith({ limit: 7, before: 'cursor-1', eventId: 'e-1' })
    expect(reply.json()).toEqual({
      predictions: [
        {
          prediction_id: 'plants.features-0-17',
          event_id: 'e-1',
          prediction: 'tree',
          confidence: 0.8,
          prediction_proba: { grass: 0.15, herb: 0.05, tree: 0.8 },
          label: 'herb',
          features: { age: 24, height: 2.5, weight: null },
          model_version: '4',
          model_role: 'champion',
          source: 'stream',
          event_time: '2026-01-02T03:00:00.000Z',
          timestamp: '2026-01-02T03:00:01.000Z',
        },
      ],
      next: 'cursor-2',
    })
  })

  it('asks for 50 where nothing is said', async () => {
    const predictions = vi.fn(noPage)
    const { app } = ingressUnderTest({ history: { liveErrors: noErrors, predictions, liveAccuracy: noAccuracy } })
    await app.inject('/predictions/history')
    expect(predictions).toHaveBeenCalledWith({ limit: 50 })
  })

  it('names the values of each model by its own features and classes, and gives no wrong names', async () => {
    const older = { ...row, model_version: '3', prediction: 'shrub', class_index: 0, probabilities: [0.7, 0.3] }
    const rows = [{ ...older, features: [7] }, row, { ...row, model_version: '1' }, { ...row, features: [1, 2] }]
    const namesOf = vi.fn(async (version: string) => {
      if (version === '1') throw new Error('the store does not answer')
      return version === '3'
        ? { features: ['height'], classes: ['shrub', 'grass'] }
        : { features: ['age', 'height', 'weight'], classes: ['grass', 'herb', 'tree'] }
    })
    const predictions = async () => ({ predictions: rows, next: null })
    const { app } = ingressUnderTest({
      namesOf,
      history: { liveErrors: noErrors, predictions, liveAccuracy: noAccuracy },
    })
    const found = (await app.inject('/predictions/history')).json().predictions
    expect(found.map(({ features }: { features: unknown }) => features)).toEqual([
      { height: 7 },
      { age: 24, height: 2.5, weight: null },
      null,
      null,
    ])
    expect(found[0].prediction_proba).toEqual({ shrub: 0.7, grass: 0.3 })
    expect(found[2].prediction_proba).toBeNull()
    expect(namesOf).toHaveBeenCalledTimes(3)
  })

  it.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=', 'limit'],
    ['before=', 'before'],
    ['offset=3', 'offset'],
  ])('is 400 for ?%s', async (query, field) => {
    const { app } = ingressUnderTest()
    const reply = await app.inject(`/predictions/history?${query}`)
    expect(reply.statusCode).toBe(400)
    expect(reply.json().error).toMatchObject({ code: 'INVALID_REQUEST', field })
  })

  it('is 400 for a cursor that the history does not know, 503 where it does not answer', async () => {
    const failWith = async (error: Error) => {
      const predictions = () => Promise.reject(error)
      const { app } = ingressUnderTest({ history: { liveErrors: noErrors, predictions, liveAccuracy: noAccuracy } })
      return app.inject('/predictions/history?before=x')
    }
    const unknown = await failWith(new AppError('HISTORY_CURSOR_INVALID', '"x" is no page cursor'))
    expect(unknown.statusCode).toBe(400)
    expect(unknown.json().error).toMatchObject({ field: 'before', message: '"x" is no page cursor' })
    const broken = await failWith(new Error('database is locked'))
    expect(broken.statusCode).toBe(503)
    expect(broken.json().error.code).toBe('HISTORY_UNAVAILABLE')
  })
})

describe('every reply', () => {
  it('carries an id of ours, whatever the client sends', async () => {
    const { app } = ingressUnderTest()
    const headers = { 'x-request-id': 'mine', 'request-id': 'mine' }
    for (const url of ['/', '/nowhere']) {
      const reply = await app.inject({ url, headers })
      expect(reply.headers['x-request-id']).toMatch(/^id-\d+$/)
    }
  })

  it.each([
    ['GET', '/nowhere', 404, 'NOT_FOUND'],
    ['PUT', '/predict', 404, 'NOT_FOUND'],
    ['GET', '/%zz', 400, 'BAD_URL'],
  ] as const)('is JSON of one shape for %s %s too', async (method, url, status, code) => {
    const { app } = ingressUnderTest()
    const reply = await app.inject({ method, url })
    expect(reply.statusCode).toBe(status)
    expect(reply.headers['content-type']).toContain('application/json')
    expect(reply.json().error).toEqual({
      code,
      message: expect.any(String),
      field: null,
      faults: [],
      request_id: reply.headers['x-request-id'],
    })
  })
})

describe('the metrics of requests', () => {
  it('count by route pattern and status; unknown paths share one series', async () => {
    const { app } = ingressUnderTest()
    await app.inject({ method: 'POST', url: '/predict', payload: sampleInstance })
    await app.inject({ method: 'POST', url: '/predict', payload: [sampleInstance, sampleInstance] })
    await app.inject({ method: 'POST', url: '/predict', payload: {} })
    await app.inject('/predictions/history?limit=3')
    for (let i = 0; i < 5; i++) await app.inject(`/nowhere/${i}`)

    const exposed = parseExposition((await app.inject('/metrics')).body)
    const counted = (endpoint: string, status: string) =>
      sampleOf(exposed, 'plants_api_requests_total', { endpoint, status })
    expect(counted('/predict', '200')).toBe(2)
    expect(counted('/predict', '400')).toBe(1)
    expect(counted('/predictions/history', '200')).toBe(1)
    expect(counted('unmatched', '404')).toBe(5)
    const endpoints = exposed.samples
      .filter((sample) => sample.name === 'plants_api_requests_total')
      .map((sample) => sample.labels['endpoint'])
    expect(new Set(endpoints)).toEqual(new Set(['/predict', '/predictions/history', 'unmatched']))
    expect(
      sampleOf(exposed, 'plants_api_request_duration_seconds_count', { endpoint: '/predict', method: 'POST' }),
    ).toBe(3)
    expect(sampleOf(exposed, 'plants_predictions_total', { class: 'tree' })).toBe(3)
    expect(sampleOf(exposed, 'plants_prediction_confidence_count')).toBe(3)
    // Only the request that asks.
    expect(sampleOf(exposed, 'plants_api_active_requests')).toBe(1)
  })
})
