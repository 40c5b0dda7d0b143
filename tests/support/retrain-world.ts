import { createHash } from 'node:crypto'
import { pino } from 'pino'

import type { ModelEvent } from '../../src/events.ts'
import type { ClassDataset } from '../../src/features/dataset.ts'
import type { HistoryReader, LabelledRow } from '../../src/history/history-types.ts'
import type { Evaluation, ModelArtefact, ModelManifest } from '../../src/models/manifest.ts'
import type { Scorer } from '../../src/models/scorer.ts'
import type { TournamentInput } from '../../src/models/tournament/tournament-types.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import type { Registry } from '../../src/registry/registry-types.ts'
import type { RetrainDeps, RetrainTask } from '../../src/retraining/retrain.ts'
import { createRetrainingRows, type RetrainingRows } from '../../src/retraining/retraining-rows.ts'
import type { RetrainContext, RetrainRequest } from '../../src/retraining/retraining-types.ts'
import { createMemorySignal } from './memory-signal.ts'
import { createMemoryStore } from './memory-store.ts'
import { sampleRun } from './sample-artefact.ts'

export const silent = pino({ level: 'silent' })

export const request = (changes: Partial<RetrainRequest> = {}): RetrainRequest => ({
  trigger: 'drift',
  reason: 'x differs from the reference',
  requestedBy: 'test',
  requestedAt: 1000,
  sinceEventTime: null,
  driftId: 'd1',
  ...changes,
})

/** One feature, two classes: `high` from a threshold on. */
export const task: RetrainTask = {
  task: 'levels',
  features: [{ name: 'x', type: 'double', nullable: false }],
  target: { name: 'level', type: 'classification', classes: ['low', 'high'] },
  dataset: { path: 'levels.csv', testFraction: 0.2 },
  seed: 1,
  training: {
    folds: 2,
    repeats: 1,
    selection: 'best',
    nested: false,
    candidates: [
      {
        name: 'logistic',
        family: 'logistic',
        engine: 'ml-logistic-regression',
        calibration: 'none',
        parameters: { steps: 10, learningRate: 0.1 },
      },
    ],
    referenceRows: 20,
  },
  retraining: { recentLabels: 200, minLabels: 100, holdoutFraction: 0.3, labelWaitMs: 5000, pollMs: 50 },
  promotion: { metric: 'accuracy', minImprovement: 0.02, alpha: 0.05 },
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const evaluation: Evaluation = {
  kind: 'classification',
  rows: 1,
  accuracy: 1,
  macro_f1: 1,
  log_loss: 0,
  brier_score: 0,
  calibration_error: 0,
  confusion: [],
  per_class: [],
}

/** A model that says `high` from `threshold` on; its bytes are the threshold. */
export const thresholdModel = (threshold: number, changes: Partial<ModelManifest> = {}): ModelArtefact => {
  const binary = new TextEncoder().encode(String(threshold))
  const manifest: ModelManifest = {
    format: 2,
    kind: 'classification',
    categories: [[]],
    calibration: null,
    task: 'levels',
    name: 'threshold',
    family: 'logistic',
    engine: 'test',
    parameters: {},
    features: ['x'],
    classes: ['low', 'high'],
    standardiser: { mean: [0], scale: [1] },
    seed: 1,
    data: { digest: sha256('rows'), base_rows: 1, recent_rows: 0, train_rows: 1, test_rows: 1 },
    reference: { source: 'training', rows: 1 },
    metrics: {
      cv: { metric: 'accuracy', mean: 1, sd: 0, se: 0, folds: 5, repeats: 1 },
      train: evaluation,
      test: evaluation,
    },
    candidates: [],
    golden: { features: [[threshold]], outputs: [[0, 1]], tolerance: 0 },
    parent: null,
    reason: 'initial',
    binary: { sha256: sha256(String(threshold)), bytes: binary.length, sections: [] },
    ...changes,
  }
  return { manifest, binary }
}

export const loadThreshold = (manifest: ModelManifest, binary: Uint8Array): Scorer => {
  const threshold = Number(new TextDecoder().decode(binary))
  const high = manifest.classes.indexOf('high')
  const column = manifest.features.indexOf('x')
  return {
    kind: manifest.kind,
    featureNames: manifest.features,
    classNames: manifest.classes,
    outputs: manifest.classes.length,
    scoreBlock: (features, rows, probabilities) => {
      probabilities.fill(0)
      for (let row = 0; row < rows; row += 1) {
        const isHigh = (features[row * manifest.features.length + column] ?? 0) >= threshold
        probabilities[row * manifest.classes.length + (isHigh ? high : 1 - high)] = 1
      }
    },
  }
}

/** Events `0..count-1` with x from 0 to 1 and the truth of a threshold. */
export const labelledRows = (count: number, threshold: number, modelVersion = '1'): LabelledRow[] =>
  Array.from({ length: count }, (_, n) => ({
    event_id: `e${n}`,
    event_time: 1000 + n,
    labelled_at: 2000 + n,
    features: [n / count],
    prediction: 'low',
    value: null,
    model_version: modelVersion,
    label: n / count >= threshold ? 'high' : 'low',
  }))

/** Learns the threshold that the recent rows show; stands in for a real training. */
export const learnThreshold = (input: TournamentInput): ModelArtefact => {
  const recent = input.recent as ClassDataset
  const highs = [...recent.features].filter((_, row) => recent.labels[row] === 1)
  return thresholdModel(Math.min(...highs), {
    parent: input.parent,
    reason: input.reason,
    data: {
      digest: sha256(recent.features.join()),
      base_rows: 0,
      recent_rows: recent.rows,
      train_rows: 0,
      test_rows: 0,
    },
  })
}

const emptyDataset: ClassDataset = {
  kind: 'classification',
  categories: [[]],
  featureNames: ['x'],
  classNames: ['low', 'high'],
  rows: 0,
  features: new Float64Array(),
  labels: new Int32Array(),
}

/** The rows of a history, worked on in this thread. */
export const rowsFrom = (history: Pick<HistoryReader, 'labelledRows' | 'countLabelled'>): RetrainingRows =>
  createRetrainingRows({ task, history, readBase: async () => emptyDataset, loadScorer: loadThreshold })

/** A world in which version 1 (threshold 0.5) is in production and `rows` are labelled. */
export const retrainWorld = async (options: {
  rows: LabelledRow[]
  champion?: ModelArtefact | null
  train?: (input: TournamentInput) => Promise<ModelArtefact> | ModelArtefact
}): Promise<{ deps: RetrainDeps; registry: Registry; events: ModelEvent[] }> => {
  const registry = createRegistry({
    store: createMemoryStore(),
    signal: createMemorySignal(),
    now: () => 5000,
    logger: silent,
  })
  const { champion = thresholdModel(0.5), train = learnThreshold } = options
  if (champion !== null) {
    const version = await registry.store.addVersion(champion, sampleRun())
    await registry.promote({ alias: 'production', version, actor: 'test', reason: 'initial' })
  }
  const events: ModelEvent[] = []
  const since = (time = 0): LabelledRow[] => options.rows.filter((row) => row.event_time >= time)
  const deps: RetrainDeps = {
    task,
    rows: rowsFrom({
      countLabelled: async ({ sinceEventTime }) => since(sinceEventTime).length,
      labelledRows: async ({ limit, sinceEventTime }) => since(sinceEventTime).reverse().slice(0, limit),
    }),
    registry,
    train: async (input) => ({
      artefact: await train(input),
      timings: { seconds: 1, fit_seconds: {}, artefact_bytes: {} },
    }),
    publish: async (event) => {
      events.push(event)
    },
    now: () => 3000,
    software: { node: '24', driftline: '0' },
    logger: silent,
  }
  return { deps, registry, events }
}

export const context = (jobId = 'job-1', signal = new AbortController().signal): RetrainContext => ({
  jobId,
  signal,
  progress: () => undefined,
})
