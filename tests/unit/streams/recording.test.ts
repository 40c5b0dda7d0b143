import { describe, expect, it } from 'vitest'

import type { Label, Prediction } from '../../../src/events.ts'
import { type Incoming, predictionIdHeader, type RecordSource } from '../../../src/topology.ts'
import { type IncomingPrediction, recording } from '../../../streams/recording.ts'

const source: RecordSource = { topic: 't', partition: 0, offset: 0n, timestamp: 0, key: null }

const prediction = (changes: Partial<Prediction> = {}): Prediction => ({
  event_id: 'e1',
  source_partition: 2,
  source_offset: 7,
  event_time: 1,
  scored_at: 2,
  prediction: 'a',
  class_index: 0,
  confidence: 1,
  probabilities: [1, 0],
  value: null,
  model_version: '1',
  model_role: 'champion',
  features: [null],
  ...changes,
})

const incoming = (changes: Partial<Prediction> = {}, header?: string): IncomingPrediction => ({
  source,
  value: prediction(changes),
  headers: header === undefined ? {} : { [predictionIdHeader]: new TextEncoder().encode(header) },
})

const label = (changes: Partial<Label> = {}): Incoming<Label> => ({
  source,
  value: { event_id: 'e1', label: 'a', labelled_at: 5, ...changes },
})

const step = recording({
  task: 'flowers',
  target: { name: 'kind', type: 'classification', classes: ['a', 'b'] },
})
const numbers = recording({ task: 'prices', target: { name: 'price', type: 'regression' } })

describe('recording', () => {
  it('reads the topics of its task', () => {
    expect([step.predictions.name, step.labels.name]).toEqual(['flowers.predictions', 'flowers.labels'])
  })

  it('names a prediction by its header, else by its source, else by its event', () => {
    const rows = step.predictionRows([
      incoming({}, 'flowers.features-2-7'),
      incoming({ source_partition: 3 }),
      incoming({ source_partition: null, source_offset: null }),
      incoming({ source_partition: null, source_offset: null, event_id: 'e2' }, ''),
    ])
    expect(rows.map((row) => row.prediction_id)).toEqual([
      'flowers.features-2-7',
      'flowers.features-3-7',
      'http-e1',
      'http-e2',
    ])
    expect(rows[0]).toEqual({ ...prediction(), prediction_id: 'flowers.features-2-7' })
  })

  it('keeps the last of several predictions of one source record', () => {
    const rows = step.predictionRows([
      incoming({ model_version: '1' }),
      incoming({ source_offset: 8 }),
      incoming({ model_version: '2' }),
    ])
    expect(rows.map((row) => [row.source_offset, row.model_version])).toEqual([
      [8, '1'],
      [7, '2'],
    ])
  })

  it('turns labels into rows and says in their place which ones cannot be', () => {
    const outcomes = step.labelOutcomes([
      label(),
      label({ label: 'c' }),
      label({ event_id: '' }),
      label({ labelled_at: 0.5 }),
      label({ label: 'b' }),
    ])
    expect(outcomes.map((outcome) => (outcome.kind === 'row' ? outcome.row.label : outcome.code))).toEqual([
      'a',
      'UNKNOWN_LABEL',
      'BAD_EVENT_ID',
      'BAD_EVENT_TIME',
      'b',
    ])
    expect(outcomes[1]).toMatchObject({
      message: 'label "c" of event e1 is no class of flowers; known: a, b',
    })
  })

  it('takes the label of a number in decimal notation only, as it was written', () => {
    const texts = ['12.5', '-3', '1e-3', '+0', '', ' 1', '0x10', 'Infinity', 'NaN', '1e999', '1,5', 'a']
    const outcomes = numbers.labelOutcomes(texts.map((text) => label({ label: text })))
    expect(outcomes.map((outcome) => (outcome.kind === 'row' ? outcome.row.label : outcome.code))).toEqual([
      ...texts.slice(0, 4),
      ...texts.slice(4).map(() => 'BAD_LABEL'),
    ])
    expect(outcomes.at(-1)).toMatchObject({ message: 'label "a" of event e1 is no finite decimal number' })
  })

  it('shows no more than the beginning of a long label', () => {
    const [outcome] = numbers.labelOutcomes([label({ label: 'x'.repeat(10_000) })])
    if (outcome?.kind !== 'dead-letter') throw new Error('not refused')
    expect(outcome.message.length).toBeLessThan(150)
  })

  it('passes on nothing but the fields of a label', () => {
    const [outcome] = step.labelOutcomes([label({ extra: 1 } as Partial<Label>)])
    expect(outcome).toEqual({ kind: 'row', row: { event_id: 'e1', label: 'a', labelled_at: 5 } })
  })
})
