import type { Label } from '../../src/events.ts'
import type { PredictionRow } from '../../src/history/history-types.ts'

/** A prediction of event `e<n>`, scored at `n` by version 1 as `a`, unless told otherwise. */
export const predictionRow = (n: number, changes: Partial<PredictionRow> = {}): PredictionRow => ({
  prediction_id: `task.features-0-${n}`,
  event_id: `e${n}`,
  source_partition: 0,
  source_offset: n,
  event_time: 1000 + n,
  scored_at: 2000 + n,
  prediction: 'a',
  class_index: 0,
  confidence: 0.75,
  probabilities: [0.75, 0.25],
  value: null,
  model_version: '1',
  model_role: 'champion',
  features: [n, null],
  ...changes,
})

export const labelOf = (n: number, changes: Partial<Label> = {}): Label => ({
  event_id: `e${n}`,
  label: 'a',
  labelled_at: 5000 + n,
  ...changes,
})
