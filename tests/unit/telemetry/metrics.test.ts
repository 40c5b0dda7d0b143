import { register } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { createApiMetrics, createStreamMetrics, metricNames, type StreamRole } from '../../../src/telemetry/metrics.ts'
import { parseExposition, sampleOf } from '../../support/exposition.ts'

const useAll = () => {
  const stream = createStreamMetrics('plants')
  stream.scoring.stage('decode', 0.01)
  stream.scoring.scored({ modelVersion: '4', byClass: new Map([['tree', 2]]) })
  stream.scoring.unknownCategories(new Map([['town', 2]]))
  stream.scoring.deadLettered('BAD_AVRO')
  stream.scoring.eventLatency(-1)
  stream.scoring.eventTimeLatency(0.2)
  stream.scoring.swapped(0.05)
  const consumer = stream.consumer.of('plants.score')
  consumer.fetched({ records: 3, ms: 1 })
  consumer.committed({ topic: 'plants.features', records: 3, transactions: 1, processMs: 2, commitMs: 5 })
  consumer.aborted({ code: 'SEND_FAILED' })
  consumer.rebalanced()
  stream.consumer.sent('plants.predictions', 3)
  stream.lag.set('plants.score', 'plants.features', [[0, 12n]])
  stream.model.swapped({ version: '4', epoch: 9, loadSeconds: 0.1 })
  stream.recording.recorded('label', 5)
  stream.recording.liveErrors([{ model_version: '4', labelled: 10, r2: 0.5, rmse: 3 }])
  stream.recording.liveAccuracy([{ model_version: '4', labelled: 10, accuracy: 0.9 }])
  stream.drift.features([{ feature: 'height', test: 'ks', statistic: 0.3, adjusted_p_value: 0.001 }])
  stream.drift.window('drifted')
  stream.drift.alarm()
  stream.shadow.scored({ modelVersion: '5', scored: 10, refused: 1 })
  stream.shadow.compared({ modelVersion: '5', productionVersion: '4', rows: 10, disagreements: 2, differences: 0.5 })
  stream.shadow.unread('BAD_AVRO')
  stream.shadow.models({ active: ['5'], refused: ['6'] })
  stream.retraining.queueJobs({ waiting: 1 })
  stream.retraining.jobFinished('promoted', 12)
  const api = createApiMetrics('plants')
  api.requestStarted()
  api.requestFinished({ method: 'GET', endpoint: '/', status: 200, seconds: 0.001 })
  api.predicted({ prediction: 'tree', confidence: 0.9 })
  return { stream, api }
}

describe('the list of metrics', () => {
  it('is what the processes expose: every name, type, help and label, and nothing else', async () => {
    const { stream, api } = useAll()
    const expositions = [parseExposition(await stream.text()), parseExposition(await api.text())]
    const listed = new Map(metricNames('plants').map((metric) => [metric.name, metric]))
    const exposed = new Map(expositions.flatMap((exposition) => [...exposition.families]))
    expect([...exposed.keys()].sort()).toEqual([...listed.keys()].sort())
    for (const [name, family] of exposed) {
      const { type, help } = listed.get(name)!
      expect({ name, type: family.type.toLowerCase(), help: family.help }).toEqual({ name, type, help })
    }

    const used = new Set<string>()
    for (const { name, labels } of expositions.flatMap((exposition) => exposition.samples)) {
      const family = listed.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')
      const metric = listed.get(family)!
      const expected = [
        ...metric.labels,
        ...(metric.taskLabel ? ['task'] : []),
        ...(name.endsWith('_bucket') ? ['le'] : []),
      ]
      expect([name, Object.keys(labels).sort()]).toEqual([name, expected.sort()])
      used.add(family)
    }
    const ours = [...listed.keys()].filter((name) => /^(driftline|plants|messaging)_/.test(name))
    expect(ours.filter((name) => !used.has(name))).toEqual([])
  })

  it('holds each name once, with a help and, for a histogram of ours, growing buckets', () => {
    const metrics = metricNames('plants')
    expect(new Set(metrics.map((metric) => metric.name)).size).toBe(metrics.length)
    for (const { name, help, buckets } of metrics) {
      expect(help, name).not.toBe('')
      if (buckets !== undefined) expect(buckets.toSorted((a, b) => a - b)).toEqual(buckets)
    }
  })

  it('keeps the names that older dashboards of such services use', () => {
    const names = new Map(metricNames('iris').map((metric) => [metric.name, metric.labels]))
    expect(names.get('iris_api_requests_total')).toEqual(['method', 'endpoint', 'status'])
    expect(names.get('iris_predictions_total')).toEqual(['class'])
    for (const rest of [
      'api_request_duration_seconds',
      'prediction_confidence',
      'model_loaded',
      'model_load_duration_seconds',
      'api_health',
      'api_active_requests',
    ]) {
      expect([...names.keys()]).toContain(`iris_${rest}`)
    }
  })
})

describe('the metrics of a process', () => {
  it('are its own: nothing is in the global registry, and two sets do not share', async () => {
    const first = createStreamMetrics('plants')
    const second = createStreamMetrics('plants')
    first.drift.alarm()
    expect(sampleOf(parseExposition(await second.text()), 'driftline_drift_alarms_total')).toBe(0)
    expect(register.getMetricsAsArray()).toEqual([])
  })

  it('carry the task on every series of a stream role', async () => {
    const { stream } = useAll()
    const lines = (await stream.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(lines.filter((line) => !line.includes('task="plants"'))).toEqual([])
  })

  it.each<[StreamRole, string, string]>([
    ['score', 'driftline_events_total', 'driftline_drift_alarms_total'],
    ['record', 'driftline_recorded_total', 'driftline_events_total'],
    ['watch', 'driftline_drift_alarms_total', 'driftline_recorded_total'],
    ['retrain', 'driftline_retrain_jobs_total', 'driftline_drift_alarms_total'],
    ['shadow', 'driftline_shadow_disagreements_total', 'driftline_recorded_total'],
  ])('of role %s show %s and not %s, which may still be called', async (role, shown, hidden) => {
    const metrics = createStreamMetrics('plants', role)
    metrics.drift.alarm()
    metrics.scoring.deadLettered('BAD_AVRO')
    metrics.recording.recorded('label', 1)
    const { families } = parseExposition(await metrics.text())
    expect([...families.keys()]).toContain(shown)
    expect([...families.keys()]).not.toContain(hidden)
  })

  it('count events by outcome and predictions by class and version', async () => {
    const metrics = createStreamMetrics('plants', 'score')
    metrics.scoring.scored({
      modelVersion: '4',
      byClass: new Map([
        ['tree', 2],
        ['herb', 3],
      ]),
    })
    metrics.scoring.deadLettered('BAD_JSON', 4)
    const exposed = parseExposition(await metrics.text())
    expect(sampleOf(exposed, 'driftline_events_total', { outcome: 'scored' })).toBe(5)
    expect(sampleOf(exposed, 'driftline_events_total', { outcome: 'dead_lettered' })).toBe(4)
    expect(sampleOf(exposed, 'driftline_dead_letters_total', { code: 'BAD_JSON' })).toBe(4)
    expect(sampleOf(exposed, 'driftline_predictions_total', { class: 'herb', model_version: '4' })).toBe(3)
  })

  it('count what consumers do under the names of the messaging conventions', async () => {
    const metrics = createStreamMetrics('plants', 'score')
    const consumer = metrics.consumer.of('plants.score')
    consumer.committed({ topic: 'plants.features', records: 3, transactions: 1, processMs: 2, commitMs: 500 })
    consumer.committed({ topic: 'plants.features', records: 4, transactions: 1, processMs: 2, commitMs: 500 })
    consumer.aborted({ code: 'KAFKA_UNAVAILABLE' })
    const exposed = parseExposition(await metrics.text())
    const group = { messaging_consumer_group_name: 'plants.score' }
    expect(sampleOf(exposed, 'messaging_client_consumed_messages_total', group)).toBe(7)
    expect(
      sampleOf(exposed, 'messaging_client_operation_duration_seconds_sum', {
        ...group,
        messaging_operation_name: 'commit',
      }),
    ).toBe(1)
    expect(sampleOf(exposed, 'driftline_transactions_total', { outcome: 'committed' })).toBe(2)
    expect(sampleOf(exposed, 'driftline_transactions_total', { code: 'KAFKA_UNAVAILABLE' })).toBe(1)
  })

  it('name only the model that serves now', async () => {
    const metrics = createStreamMetrics('plants', 'score')
    metrics.model.swapped({ version: '4', epoch: 9, loadSeconds: 0.1 })
    metrics.model.swapped({ version: '5', epoch: 10, loadSeconds: 0.1 })
    metrics.model.rejected()
    const exposed = parseExposition(await metrics.text())
    expect(
      exposed.samples
        .filter((sample) => sample.name === 'driftline_model_info')
        .map((sample) => sample.labels['version']),
    ).toEqual(['5'])
    expect(sampleOf(exposed, 'driftline_model_epoch')).toBe(10)
    expect(sampleOf(exposed, 'driftline_model_swaps_total', { result: 'swapped' })).toBe(2)
    expect(sampleOf(exposed, 'driftline_model_swaps_total', { result: 'rejected' })).toBe(1)
  })

  it('tell the errors of predicted numbers, and of those only what is known', async () => {
    const metrics = createStreamMetrics('plants', 'record')
    metrics.recording.liveErrors([{ model_version: '3', labelled: 9, r2: 0.1, rmse: 8 }])
    metrics.recording.liveErrors([{ model_version: '4', labelled: 1, r2: null, rmse: 2.5 }])
    const exposed = parseExposition(await metrics.text())
    expect(sampleOf(exposed, 'driftline_live_r2')).toBeUndefined()
    expect(sampleOf(exposed, 'driftline_live_rmse', { model_version: '4' })).toBe(2.5)
    expect(sampleOf(exposed, 'driftline_live_rmse', { model_version: '3' })).toBeUndefined()
    expect(sampleOf(exposed, 'driftline_labelled_events', { model_version: '4' })).toBe(1)
  })

  it('show the tests of the last window only', async () => {
    const metrics = createStreamMetrics('plants', 'watch')
    const found = { feature: 'height', statistic: 0.3, adjusted_p_value: 0.01 }
    metrics.drift.features([
      { ...found, test: 'ks' },
      { ...found, test: 'missing_rate', statistic: 0.5 },
    ])
    metrics.drift.features([{ ...found, test: 'ks', statistic: 0.1 }])
    const exposed = parseExposition(await metrics.text())
    expect(sampleOf(exposed, 'driftline_drift_statistic', { test: 'ks' })).toBe(0.1)
    expect(sampleOf(exposed, 'driftline_drift_statistic', { test: 'missing_rate' })).toBeUndefined()
  })

  it('forget the accuracy of versions that are no longer in the window', async () => {
    const metrics = createStreamMetrics('plants', 'record')
    metrics.recording.liveAccuracy([{ model_version: '4', labelled: 10, accuracy: 0.9 }])
    metrics.recording.liveAccuracy([{ model_version: '5', labelled: 0, accuracy: null }])
    const exposed = parseExposition(await metrics.text())
    expect(sampleOf(exposed, 'driftline_live_accuracy')).toBeUndefined()
    expect(sampleOf(exposed, 'driftline_labelled_events', { model_version: '5' })).toBe(0)
    expect(sampleOf(exposed, 'driftline_labelled_events', { model_version: '4' })).toBeUndefined()
  })
})

describe('the metrics of the ingress', () => {
  it('count predicted numbers as one series, without a confidence', async () => {
    const metrics = createApiMetrics('plants')
    metrics.predicted({ prediction: '151.25', confidence: null })
    metrics.predicted({ prediction: '7', confidence: null })
    const exposed = parseExposition(await metrics.text())
    expect(sampleOf(exposed, 'plants_predictions_total', { class: 'number' })).toBe(2)
    expect(sampleOf(exposed, 'plants_prediction_confidence_count')).toBe(0)
  })

  it('tell a swap under the shared names and under the names of the task', async () => {
    const metrics = createApiMetrics('plants')
    metrics.model.swapped({ version: '4', epoch: 9, loadSeconds: 0.1 })
    const exposed = parseExposition(await metrics.text())
    expect(sampleOf(exposed, 'plants_model_loaded')).toBe(1)
    expect(sampleOf(exposed, 'plants_model_load_duration_seconds_count')).toBe(1)
    expect(sampleOf(exposed, 'driftline_model_info', { version: '4' })).toBe(1)
  })

  it('come back to no active requests', async () => {
    const metrics = createApiMetrics('plants')
    metrics.requestStarted()
    metrics.requestStarted()
    metrics.requestFinished({ method: 'GET', endpoint: '/', status: 200, seconds: 0.001 })
    metrics.requestFinished({ method: 'GET', endpoint: '/', status: 499, seconds: 0.001 })
    const exposed = parseExposition(await metrics.text())
    expect(sampleOf(exposed, 'plants_api_active_requests')).toBe(0)
    expect(sampleOf(exposed, 'plants_api_requests_total', { endpoint: '/', status: '200' })).toBe(1)
  })
})
