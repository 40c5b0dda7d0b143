import type { FastifyInstance } from 'fastify'
import { createIngress, type IngressDeps } from '../../src/api/ingress.ts'
import type { Prediction } from '../../src/events.ts'
import type { ModelManifest } from '../../src/models/manifest.ts'
import type { Scorer } from '../../src/models/scorer.ts'
import type { ActiveModel } from '../../src/registry/registry-types.ts'
import { type ApiMetrics, createApiMetrics } from '../../src/telemetry/metrics.ts'

/** A small task with every kind of feature: in a range, without one, and one that may be missing. */
export const sampleTask: IngressDeps['task'] = {
  task: 'plants',
  description: 'A task for tests',
  features: [
    { name: 'height', type: 'double', unit: 'cm', range: [0, 30], nullable: false },
    { name: 'weight', type: 'double', nullable: false },
    { name: 'age', type: 'double', range: [0, 100], nullable: true },
  ],
  target: { name: 'kind', type: 'classification', classes: ['grass', 'herb', 'tree'] },
  accuracy: { windowEvents: 500 },
}

/** Says `tree` the surer the greater the height; its features stand in another order than the task's. */
export const sampleScorer: Scorer = {
  kind: 'classification',
  featureNames: ['age', 'height', 'weight'],
  classNames: ['grass', 'herb', 'tree'],
  outputs: 3,
  scoreBlock: (features, rows, probabilities) => {
    for (let row = 0; row < rows; row++) {
      const tree = Math.min(1, Math.max(0, features[row * 3 + 1]! / 30))
      probabilities.set([(1 - tree) * 0.75, (1 - tree) * 0.25, tree], row * 3)
    }
  },
}

const evaluation = {
  kind: 'classification' as const,
  rows: 30,
  accuracy: 0.9,
  macro_f1: 0.89,
  log_loss: 0.3,
  brier_score: 0.2,
  calibration_error: 0.05,
  confusion: [[10]],
  per_class: [],
}

export const sampleManifest = {
  format: 2,
  kind: 'classification',
  categories: [[], [], []],
  calibration: null,
  task: 'plants',
  name: 'shallow_forest',
  family: 'forest',
  engine: 'sample',
  parameters: { trees: 3 },
  features: [...sampleScorer.featureNames],
  classes: [...sampleScorer.classNames],
  standardiser: { mean: [0, 0, 0], scale: [1, 1, 1] },
  seed: 42,
  data: { digest: 'ab'.repeat(32), base_rows: 150, recent_rows: 0, train_rows: 120, test_rows: 30 },
  reference: { source: 'training', rows: 100 },
  metrics: {
    cv: { metric: 'accuracy', mean: 0.91, sd: 0.02, se: 0.01, folds: 5, repeats: 1 },
    train: evaluation,
    test: evaluation,
  },
  candidates: [],
  golden: { features: [], outputs: [], tolerance: 1e-9 },
  parent: null,
  reason: 'initial',
  binary: { sha256: 'cd'.repeat(32), bytes: 8, sections: [] },
} satisfies ModelManifest

export const sampleModel: ActiveModel = {
  version: '4',
  epoch: 9,
  scorer: sampleScorer,
  manifest: sampleManifest,
  loadedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
}

export const sampleInstance = { height: 15, weight: 2.5, age: 3 }

/** When every clock of these tests stands still. */
export const fixedNow = Date.UTC(2026, 0, 2, 4, 0, 0)

export type IngressUnderTest = {
  app: FastifyInstance
  metrics: ApiMetrics
  /** What was published, in order. */
  published: { prediction: Prediction; key: string }[]
}

/** An ingress whose surroundings all work and remember; `overrides` break what a test wants broken. */
export const ingressUnderTest = (overrides: Partial<IngressDeps> = {}): IngressUnderTest => {
  const published: IngressUnderTest['published'] = []
  const metrics = overrides.metrics ?? createApiMetrics('plants')
  let ids = 0
  const app = createIngress({
    task: sampleTask,
    version: '1.2.3',
    currentModel: () => sampleModel,
    refreshModel: async () => ({ status: 'unchanged', version: '4' }),
    publish: async (prediction, key) => {
      published.push({ prediction, key })
    },
    history: {
      predictions: async () => ({ predictions: [], next: null }),
      liveErrors: async () => ({ overall: { labelled: 0, rmse: null, r2: null }, by_version: [] }),
      liveAccuracy: async () => ({ overall: { labelled: 0, correct: 0, accuracy: null }, by_version: [] }),
    },
    namesOf: async (version) => (version === sampleModel.version ? sampleManifest : null),
    probes: {
      kafka: async () => undefined,
      redis: async () => undefined,
      registry: async () => undefined,
      models: async () => undefined,
    },
    queueBoard: null,
    now: () => fixedNow,
    newId: () => `id-${++ids}`,
    ...overrides,
    metrics,
  })
  return { app, metrics, published }
}
